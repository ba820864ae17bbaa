//! How a field of the manifest is read, and how it is described: one table makes the parser and the JSON Schema.

use std::rc::Rc;

use serde_json::{Map as Object, Value, json};

use super::flaw::{At, Flaw};
use super::tree::{Kind, Name, Node};
use crate::scrub::scrubbed;

/// More than anybody mends at once; what is beyond is counted.
const KEPT: usize = 1_000;

/// Longer names and values would drown the sentence about them, and a path of them the memory.
const SHOWN: usize = 60;

/// Collects what is wrong while a tree is read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    flaws: Vec<Flaw<At>>,
    /// How many more there were.
    untold: usize,
    path: Vec<String>,
    warnings: Vec<String>,
}

/// Something that stands in the file.
pub(super) trait Field: Sized {
    /// What it is where the file does not name it; `None` where it must.
    fn absent() -> Option<Self> {
        None
    }

    /// Reads it; nothing when it is wrong, which the reader then knows.
    fn read(node: &Node, reader: &mut Reader) -> Option<Self>;

    /// Its JSON Schema.
    fn schema() -> Value;
}

/// A text that means something.
pub(super) trait Word: Sized {
    /// Parses it, or says why not.
    fn parse(text: &str) -> Result<Self, String>;

    /// Its JSON Schema.
    fn schema() -> Value;
}

/// A value with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot<T> {
    pub(super) value: T,
    pub(super) at: At,
}

/// Something that must be there. When it is wrong, that is told, and the rest of its struct is still looked at.
#[derive(Debug, Clone)]
pub(super) struct Must<T>(#[allow(dead_code, reason = "some only have to be there")] pub(super) Option<T>);

impl<T> Spot<T> {
    pub(super) const fn new(value: T, at: At) -> Self {
        Self { value, at }
    }
}

impl Reader {
    /// Something is wrong at a place.
    pub(super) fn refuse(&mut self, at: At, what: impl Into<String>) {
        let field = self.path.join(".");
        self.tell(at, field, what);
    }

    /// Something is wrong with a field that was read already.
    pub(super) fn tell(&mut self, at: At, field: impl Into<String>, what: impl Into<String>) {
        if self.is_full() {
            self.untold += 1;
            return;
        }
        self.flaws.push(Flaw {
            at,
            field: field.into(),
            what: what.into(),
        });
    }

    /// How many problems have been told so far.
    pub(super) const fn told(&self) -> usize {
        self.flaws.len()
    }

    /// Adds a word of advice to what was told since.
    pub(super) fn advise(&mut self, since: usize, advice: &str) {
        let advised = self.flaws.iter_mut().skip(since);
        advised.for_each(|flaw| flaw.what = format!("{}; {advice}", flaw.what));
    }

    /// Something was understood otherwise than it is written.
    pub(super) fn warn(&mut self, what: String) {
        if !self.warnings.contains(&what) && self.warnings.len() < KEPT {
            self.warnings.push(what);
        }
    }

    /// What was understood otherwise than it is written, each once.
    pub(super) fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Whether no problem of this place has been told.
    pub(super) fn is_silent_about(&self, at: At) -> bool {
        self.flaws.iter().all(|flaw| flaw.at != at)
    }

    const fn is_full(&self) -> bool {
        self.flaws.len() >= KEPT
    }

    /// Whether nothing is wrong so far.
    pub(super) const fn is_silent(&self) -> bool {
        self.flaws.is_empty()
    }

    /// What was told, and how much more there would have been.
    pub(super) fn into_flaws(self) -> (Vec<Flaw<At>>, usize) {
        (self.flaws, self.untold)
    }

    /// Reads a part with its name added to the path.
    pub(super) fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(shortened(name));
        let found = read(self);
        self.path.pop();
        found
    }

    /// The fields of a mapping; an empty one has none. Unknown names are told with the one that was probably meant.
    /// `others` are names that known fields have too.
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        known: &[&str],
        others: &[&str],
    ) -> Option<&'n [(Name, Node)]> {
        let fields = match &node.kind {
            Kind::Mapping(fields) => fields.as_slice(),
            Kind::Empty => &[],
            other => {
                let what = format!("{}; a mapping is expected, with {}", is_a(other), listed(known));
                self.refuse(node.at, what);
                return None;
            }
        };
        let is_known = |name: &str| known.contains(&name) || others.contains(&name);
        for (name, _) in fields.iter().filter(|(name, _)| !is_known(&name.text)) {
            if self.is_full() {
                // To look for the nearest name is dear, and nobody will read it.
                self.untold += 1;
            } else {
                self.refuse(name.at, unknown(&name.text, known));
            }
        }
        Some(fields)
    }

    /// One field of a struct, under any of its names.
    pub(super) fn field<T: Field>(
        &mut self,
        node: &Node,
        fields: &[(Name, Node)],
        name: &str,
        others: &[&str],
    ) -> Option<T> {
        let is_it = |found: &Name| found.text == name || others.contains(&found.text.as_str());
        let mut found = fields.iter().filter(|(found, _)| is_it(found));
        let Some((first, value)) = found.next() else {
            let absent = T::absent();
            if absent.is_none() {
                self.refuse(node.at, format!("`{name}` is missing"));
            }
            return absent;
        };
        for (second, _) in found {
            let what = format!(
                "`{}` and `{}` are one field; leave one out",
                first.text, second.text
            );
            self.refuse(second.at, what);
        }
        self.within(&first.text, |reader| T::read(value, reader))
    }
}

/// What a node is, for a sentence about what it should be.
pub(super) fn is_a(kind: &Kind) -> String {
    match kind {
        Kind::Empty => "it is empty".to_owned(),
        Kind::Scalar(text) => format!("`{}` is a single value", shortened(text)),
        Kind::Sequence(_) => "it is a list".to_owned(),
        Kind::Mapping(_) => "it is a mapping".to_owned(),
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    let name = shortened(name);
    let near = known
        .iter()
        .map(|known| (strsim::osa_distance(known, &name), *known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().div_ceil(3));
    match near {
        Some((_, meant)) => format!("there is no field `{name}`; did you mean `{meant}`?"),
        None => format!("there is no field `{name}`; known are {}", listed(known)),
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// As much of a text as a sentence about it bears. It is scrubbed before it is cut, since half a secret could not be found,
/// and while an address can still be told from the marks around it.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().nth(SHOWN).is_none() && !text.contains("://") {
        return text.to_owned();
    }
    let text = scrubbed(text);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

impl<T: Word> Field for Spot<T> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Kind::Scalar(text) = &node.kind else {
            reader.refuse(
                node.at,
                format!("{}; a single value is expected", is_a(&node.kind)),
            );
            return None;
        };
        word(node.at, text, reader)
    }

    fn schema() -> Value {
        T::schema()
    }
}

/// Parses a text that stands somewhere; a bad one is a problem that quotes it.
pub(super) fn word<T: Word>(at: At, text: &str, reader: &mut Reader) -> Option<Spot<T>> {
    match T::parse(text) {
        Ok(value) => Some(Spot { value, at }),
        Err(refusal) => {
            reader.refuse(at, format!("`{}` is not accepted: {refusal}", shortened(text)));
            None
        }
    }
}

/// A wrong value counts as not given: it is told, and the rest is still looked at.
impl<T: Field> Field for Option<T> {
    fn absent() -> Option<Self> {
        Some(None)
    }

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        Some(T::read(node, reader))
    }

    fn schema() -> Value {
        T::schema()
    }
}

impl<T: Field> Field for Must<T> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        Some(Self(T::read(node, reader)))
    }

    fn schema() -> Value {
        T::schema()
    }
}

/// Shared by all who have the same.
impl<T: Field> Field for Rc<T> {
    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        T::read(node, reader).map(Self::new)
    }

    fn schema() -> Value {
        T::schema()
    }
}

/// A field of a struct, as the schema tells it.
pub(super) struct Told<'f> {
    pub(super) name: &'f str,
    /// Names that it has too.
    pub(super) others: &'f [&'f str],
    pub(super) about: &'f str,
    pub(super) schema: Value,
    pub(super) required: bool,
}

/// The schema of a struct: its fields with their descriptions, and no others.
pub(super) fn object_schema(about: &str, fields: Vec<Told<'_>>) -> Value {
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    // A struct of which nothing must be said may be left empty.
    let kind = if required.is_empty() {
        json!(["object", "null"])
    } else {
        json!("object")
    };
    let mut schema = json!({
        "description": about.trim(),
        "type": kind,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    let mut properties = Object::new();
    for field in fields {
        for other in field.others {
            let mut same = field.schema.clone();
            same["description"] = format!("Another name of `{}`.", field.name).into();
            properties.insert((*other).to_owned(), same);
        }
        let mut schema = field.schema;
        schema["description"] = field.about.trim().into();
        properties.insert(field.name.to_owned(), schema);
    }
    schema["properties"] = properties.into();
    schema
}

/// Declares a struct of the manifest: its fields, their meaning for people and for the schema, and how they are read.
/// What stands in brackets are other names of a field.
macro_rules! shape {
    (
        $(#[doc = $about:literal])+
        $name:ident { $($(#[doc = $doc:literal])+ $field:ident: $kind:ty $(as [$($other:literal),+])?,)+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        #[allow(dead_code, reason = "some fields only have to be there, and some structs are not told of as a whole")]
        pub(super) struct $name {
            /// Where it starts.
            pub(super) at: $crate::config::manifest::flaw::At,
            $($(#[doc = $doc])+ pub(super) $field: $kind,)+
        }

        impl $crate::config::manifest::read::Field for $name {
            fn read(
                node: &$crate::config::manifest::tree::Node,
                reader: &mut $crate::config::manifest::read::Reader,
            ) -> Option<Self> {
                let others = &[$($($($other,)+)?)+];
                let fields = reader.fields(node, &[$(stringify!($field)),+], others)?;
                $(
                    let others = &[$($($other),+)?];
                    let $field: Option<$kind> = reader.field(node, fields, stringify!($field), others);
                )+
                Some(Self { at: node.at, $($field: $field?,)+ })
            }

            fn schema() -> serde_json::Value {
                use $crate::config::manifest::read::{Field, Told, object_schema};
                object_schema(
                    concat!($($about),+),
                    vec![$(Told {
                        name: stringify!($field),
                        others: &[$($($other),+)?],
                        about: concat!($($doc),+),
                        schema: <$kind as Field>::schema(),
                        required: <$kind as Field>::absent().is_none(),
                    }),+],
                )
            }
        }
    };
}

pub(super) use shape;
