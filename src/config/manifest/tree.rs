//! From YAML to a tree of which every part knows its place.
//!
//! The parser is `saphyr-parser`: pure Rust without `unsafe`, kept by those who keep `yaml-rust2`, passes the YAML test
//! suite, two small dependencies. It gives events with places; the libraries above it (saphyr, serde-saphyr) stop at the
//! first problem or lose the places of keys, and here every problem of the file is told at once. Anchors, aliases and
//! tags are refused, so no small file becomes a large tree.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use serde_json::Value;

use super::flaw::{At, Place};
use super::read::{Reader, shortened};

/// Deeper than any manifest, and shallow enough for every stack.
const DEEPEST: usize = 32;

/// A part of the file.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: At,
    pub(super) kind: Kind,
}

/// What a part of the file is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Empty,
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Name, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) at: At,
    pub(super) text: String,
}

/// The file as a tree; what is wrong with its YAML is told. A syntax error ends the reading: what follows it cannot be
/// told.
pub(super) fn compose(text: &str, reader: &mut Reader) -> Option<Node> {
    let mut composer = Composer {
        parser: Parser::new_from_str(text),
        input: None,
        reader,
    };
    match composer.document() {
        Ok(root) => root,
        Err(Broken { at, what }) => {
            reader.tell(at, "", what);
            None
        }
    }
}

/// An input that holds YAML or JSON as a tree, all of it at the place of the input. Every JSON is YAML but for tabs, so
/// what is no YAML is tried as JSON.
pub(super) fn compose_input(input: &'static str, text: &str, reader: &mut Reader) -> Option<Node> {
    let mut composer = Composer {
        parser: Parser::new_from_str(text),
        input: Some(input),
        reader,
    };
    let Broken { at, what } = match composer.document() {
        Ok(root) => return root,
        Err(broken) => broken,
    };
    if let Ok(json) = serde_json::from_str(text) {
        return Some(Node::of_json(at, json));
    }
    reader.tell(at, "", what);
    None
}

impl Node {
    /// A single value.
    pub(super) fn scalar(at: At, text: &str) -> Self {
        Self {
            at,
            kind: Kind::Scalar(text.to_owned()),
        }
    }

    /// A list of single values.
    pub(super) fn list<'l>(at: At, items: impl Iterator<Item = &'l str>) -> Self {
        Self {
            at,
            kind: Kind::Sequence(items.map(|item| Self::scalar(at, item)).collect()),
        }
    }

    fn of_json(at: At, value: Value) -> Self {
        let kind = match value {
            Value::Null => Kind::Empty,
            Value::String(text) => Kind::Scalar(text),
            Value::Bool(_) | Value::Number(_) => Kind::Scalar(value.to_string()),
            Value::Array(items) => {
                Kind::Sequence(items.into_iter().map(|item| Self::of_json(at, item)).collect())
            }
            Value::Object(fields) => {
                let field = |(text, value)| (Name { at, text }, Self::of_json(at, value));
                Kind::Mapping(fields.into_iter().map(field).collect())
            }
        };
        Self { at, kind }
    }
}

struct Composer<'t, 'r> {
    parser: Parser<'t, StrInput<'t>>,
    /// The input that is read, where it is no file.
    input: Option<&'static str>,
    reader: &'r mut Reader,
}

/// The parser cannot go on.
struct Broken {
    at: At,
    what: String,
}

impl<'t> Composer<'t, '_> {
    fn document(&mut self) -> Result<Option<Node>, Broken> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                _ if root.is_some() => {
                    let what =
                        "a second document starts here; a manifest is one document, without `---` inside";
                    return Err(self.broken(&span, what));
                }
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Broken> {
        match self.parser.next_event() {
            Some(Ok(found)) => Ok(found),
            None => Ok((Event::StreamEnd, Span::default())),
            Some(Err(error)) => {
                let marker = error.marker();
                let what = format!("it is not YAML: {}", error.info());
                Err(self.broken(&Span::new(*marker, *marker), &what))
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Broken> {
        let at = self.at(&span);
        if depth > DEEPEST {
            return Err(self.broken(&span, "it is nested deeper than any manifest"));
        }
        self.refuse_extras(&event, at);
        let kind = match event {
            Event::Scalar(text, style, ..) => scalar(text, style),
            Event::SequenceStart(..) => self.sequence(depth)?,
            Event::MappingStart(..) => self.mapping(depth)?,
            _ => Kind::Empty,
        };
        Ok(Node { at, kind })
    }

    fn refuse_extras(&mut self, event: &Event<'_>, at: At) {
        let (anchor, tag) = match event {
            Event::Alias(_) => (true, false),
            Event::Scalar(_, _, anchor, tag) => (*anchor > 0, tag.is_some()),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
                (*anchor > 0, tag.is_some())
            }
            _ => (false, false),
        };
        if anchor {
            self.reader
                .tell(at, "", "anchors and aliases are not taken; write it out");
        }
        if tag {
            self.reader
                .tell(at, "", "tags such as `!!str` are not taken; leave it out");
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Kind, Broken> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(Kind::Sequence(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Kind, Broken> {
        let mut fields: Vec<(Name, Node)> = Vec::new();
        let mut known = BTreeMap::new();
        loop {
            let name = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(Kind::Mapping(fields)),
                (event, span) => self.node(event, span, depth + 1)?,
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if let Some(name) = self.name(name, &mut known) {
                fields.push((name, value));
            }
        }
    }

    fn name(&mut self, node: Node, known: &mut BTreeMap<String, At>) -> Option<Name> {
        let Node { at, kind } = node;
        let Kind::Scalar(text) = kind else {
            self.reader.tell(at, "", "a name is expected before the colon");
            return None;
        };
        if let Some(first) = known.get(&text) {
            let text = shortened(&text);
            let what = format!("`{text}` stands here a second time; the first is in {first}");
            self.reader.tell(at, "", what);
            return None;
        }
        known.insert(text.clone(), at);
        Some(Name { at, text })
    }

    fn at(&self, span: &Span) -> At {
        self.input.map_or_else(|| At::File(place(span)), At::Input)
    }

    /// The lines of an input are not its places, so they are told in words.
    fn broken(&self, span: &Span, what: &str) -> Broken {
        let what = match self.input {
            Some(_) => format!("{what} (line {} of the value)", span.start.line()),
            None => what.to_owned(),
        };
        Broken {
            at: self.at(span),
            what,
        }
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Kind {
    match (style, text.as_ref()) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Kind::Empty,
        _ => Kind::Scalar(text.into_owned()),
    }
}

fn place(span: &Span) -> Place {
    let (start, end) = (span.start, span.end);
    let width = if start.line() == end.line() {
        end.col().saturating_sub(start.col())
    } else {
        1
    };
    Place {
        line: start.line().max(1),
        column: start.col() + 1,
        width: width.max(1),
    }
}
