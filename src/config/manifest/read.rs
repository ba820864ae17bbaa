//! How a field of the manifest is read, and how it is described: one table makes the parser and the JSON Schema.

use serde_json::{Map as Object, Value, json};

use super::flaw::{Flaw, Place};
use super::tree::{Kind, Name, Node};

/// Collects what is wrong while a tree is read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) flaws: Vec<Flaw>,
    path: Vec<String>,
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
    pub(super) at: Place,
}

/// Something that must be there. When it is wrong, that is told, and the rest of its struct is still looked at.
#[derive(Debug, Clone)]
pub(super) struct Must<T>(#[allow(dead_code, reason = "some only have to be there")] pub(super) Option<T>);

/// Named things in the order of the file. One that is wrong keeps its name, so that those who refer to it are not told
/// that it is missing.
#[derive(Debug, Clone)]
pub(super) struct Named<K, V>(pub(super) Vec<(Spot<K>, Option<V>)>);

impl Reader {
    /// Something is wrong at a place.
    pub(super) fn refuse(&mut self, at: Place, what: impl Into<String>) {
        self.flaws.push(Flaw {
            at,
            field: self.path.join("."),
            what: what.into(),
        });
    }

    /// Something is wrong with a field that was read already.
    pub(super) fn tell(&mut self, at: Place, field: impl Into<String>, what: impl Into<String>) {
        self.flaws.push(Flaw {
            at,
            field: field.into(),
            what: what.into(),
        });
    }

    /// Reads a part with its name added to the path.
    pub(super) fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(name.to_owned());
        let found = read(self);
        self.path.pop();
        found
    }

    /// The fields of a mapping; an empty one has none. Unknown names are told with the one that was probably meant.
    pub(super) fn fields<'n>(&mut self, node: &'n Node, known: &[&str]) -> Option<&'n [(Name, Node)]> {
        let fields = match &node.kind {
            Kind::Mapping(fields) => fields.as_slice(),
            Kind::Empty => &[],
            other => {
                let what = format!("{}; a mapping is expected, with {}", is_a(other), listed(known));
                self.refuse(node.at, what);
                return None;
            }
        };
        for (name, _) in fields
            .iter()
            .filter(|(name, _)| !known.contains(&name.text.as_str()))
        {
            self.refuse(name.at, unknown(&name.text, known));
        }
        Some(fields)
    }

    /// One field of a struct.
    pub(super) fn field<T: Field>(&mut self, node: &Node, fields: &[(Name, Node)], name: &str) -> Option<T> {
        if let Some((_, value)) = fields.iter().find(|(found, _)| found.text == name) {
            return self.within(name, |reader| T::read(value, reader));
        }
        let absent = T::absent();
        if absent.is_none() {
            self.refuse(node.at, format!("`{name}` is missing"));
        }
        absent
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
    let near = known
        .iter()
        .map(|known| (strsim::osa_distance(known, name), *known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().div_ceil(3));
    match near {
        Some((_, meant)) => format!("there is no field `{}`; did you mean `{meant}`?", shortened(name)),
        None => format!(
            "there is no field `{}`; known are {}",
            shortened(name),
            listed(known)
        ),
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Long values would drown the sentence about them.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
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
        match T::parse(text) {
            Ok(value) => Some(Self { value, at: node.at }),
            Err(refusal) => {
                reader.refuse(
                    node.at,
                    format!("`{}` is not accepted: {refusal}", shortened(text)),
                );
                None
            }
        }
    }

    fn schema() -> Value {
        T::schema()
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

impl<T: Field> Field for Vec<T> {
    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Kind::Sequence(items) = &node.kind else {
            reader.refuse(node.at, format!("{}; a list is expected", is_a(&node.kind)));
            return None;
        };
        let items = items.iter().enumerate();
        let read = items
            .filter_map(|(index, item)| reader.within(&index.to_string(), |reader| T::read(item, reader)));
        Some(read.collect())
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

impl<K: Word, V: Field> Field for Named<K, V> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let fields = match &node.kind {
            Kind::Mapping(fields) => fields.as_slice(),
            Kind::Empty => &[],
            other => {
                reader.refuse(
                    node.at,
                    format!("{}; a mapping of names is expected", is_a(other)),
                );
                return None;
            }
        };
        let mut entry = |(name, value): &(Name, Node)| {
            let read = reader.within(&name.text, |reader| V::read(value, reader));
            match K::parse(&name.text) {
                Ok(key) => Some((
                    Spot {
                        value: key,
                        at: name.at,
                    },
                    read,
                )),
                Err(refusal) => {
                    reader.refuse(
                        name.at,
                        format!("`{}` is not accepted: {refusal}", shortened(&name.text)),
                    );
                    None
                }
            }
        };
        Some(Self(fields.iter().filter_map(&mut entry).collect()))
    }

    fn schema() -> Value {
        let mut names = K::schema();
        if let Some(object) = names.as_object_mut() {
            object.remove("description");
        }
        json!({ "type": "object", "propertyNames": names, "additionalProperties": V::schema() })
    }
}

/// The schema of a struct: its fields with their descriptions, and no others.
pub(super) fn object_schema(about: &str, fields: Vec<(&str, &str, Value, bool)>) -> Value {
    let required: Vec<&str> = fields
        .iter()
        .filter(|(_, _, _, required)| *required)
        .map(|(name, ..)| *name)
        .collect();
    let mut properties = Object::new();
    for (name, about, mut schema, _) in fields {
        schema["description"] = about.trim().into();
        properties.insert(name.to_owned(), schema);
    }
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
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Declares a struct of the manifest: its fields, their meaning for people and for the schema, and how they are read.
macro_rules! shape {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $field:ident: $kind:ty,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        #[allow(dead_code, reason = "some fields only have to be there, and some structs are not told of as a whole")]
        pub(super) struct $name {
            /// Where it starts.
            pub(super) at: $crate::config::manifest::flaw::Place,
            $($(#[doc = $doc])+ pub(super) $field: $kind,)+
        }

        impl $crate::config::manifest::read::Field for $name {
            fn read(
                node: &$crate::config::manifest::tree::Node,
                reader: &mut $crate::config::manifest::read::Reader,
            ) -> Option<Self> {
                let fields = reader.fields(node, &[$(stringify!($field)),+])?;
                $(let $field: Option<$kind> = reader.field(node, fields, stringify!($field));)+
                Some(Self { at: node.at, $($field: $field?,)+ })
            }

            fn schema() -> serde_json::Value {
                use $crate::config::manifest::read::{Field, object_schema};
                object_schema(
                    concat!($($about),+),
                    vec![$((
                        stringify!($field),
                        concat!($($doc),+),
                        <$kind as Field>::schema(),
                        <$kind as Field>::absent().is_none(),
                    )),+],
                )
            }
        }
    };
}

pub(super) use shape;
