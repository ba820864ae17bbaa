//! From YAML to a tree of which every part knows its place.
//!
//! The parser is `saphyr-parser`: pure Rust without `unsafe`, kept by those who keep `yaml-rust2`, passes the YAML test
//! suite, two small dependencies. It gives events with places; the libraries above it (saphyr, serde-saphyr) stop at the
//! first problem or lose the places of keys, and here every problem of the file is told at once. Anchors, aliases and
//! tags are refused, so no small file becomes a large tree.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use serde_json::{Value, json};

use super::flaw::{Flaw, Place};

/// Deeper than any manifest, and shallow enough for every stack.
const DEEPEST: usize = 32;

/// A part of the file.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: Place,
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
    pub(super) at: Place,
    pub(super) text: String,
}

/// The file as a tree; what is wrong with its YAML goes to `flaws`. A syntax error ends the reading: what follows it
/// cannot be told.
pub(super) fn compose(text: &str, flaws: &mut Vec<Flaw>) -> Option<Node> {
    let mut composer = Composer {
        parser: Parser::new_from_str(text),
        flaws,
    };
    let root = composer.document();
    if let Err(Broken(flaw)) = root {
        flaws.push(flaw);
        return None;
    }
    root.ok().flatten()
}

impl Node {
    /// The tree as JSON, places left out; a scalar that reads as a whole number is one.
    pub(super) fn json(&self) -> Value {
        match &self.kind {
            Kind::Empty => Value::Null,
            Kind::Scalar(text) => text
                .parse::<i64>()
                .map_or_else(|_| json!(text), |number| json!(number)),
            Kind::Sequence(items) => items.iter().map(Self::json).collect(),
            Kind::Mapping(fields) => {
                let named = fields.iter().map(|(name, node)| (name.text.clone(), node.json()));
                Value::Object(named.collect())
            }
        }
    }
}

struct Composer<'t, 'f> {
    parser: Parser<'t, StrInput<'t>>,
    flaws: &'f mut Vec<Flaw>,
}

/// The parser cannot go on.
struct Broken(Flaw);

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
                    return Err(Broken(flaw(place(&span), what)));
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
                let at = Place {
                    line: error.marker().line(),
                    column: error.marker().col() + 1,
                    width: 1,
                };
                let what = format!("it is not YAML: {}", error.info());
                Err(Broken(flaw(at, &what)))
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Broken> {
        let at = place(&span);
        if depth > DEEPEST {
            return Err(Broken(flaw(at, "it is nested deeper than any manifest")));
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

    fn refuse_extras(&mut self, event: &Event<'_>, at: Place) {
        let (anchor, tag) = match event {
            Event::Alias(_) => (true, false),
            Event::Scalar(_, _, anchor, tag) => (*anchor > 0, tag.is_some()),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
                (*anchor > 0, tag.is_some())
            }
            _ => (false, false),
        };
        if anchor {
            self.flaws
                .push(flaw(at, "anchors and aliases are not taken; write it out"));
        }
        if tag {
            self.flaws
                .push(flaw(at, "tags such as `!!str` are not taken; leave it out"));
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
        loop {
            let name = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(Kind::Mapping(fields)),
                (event, span) => self.node(event, span, depth + 1)?,
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if let Some(name) = self.name(name, &fields) {
                fields.push((name, value));
            }
        }
    }

    fn name(&mut self, node: Node, known: &[(Name, Node)]) -> Option<Name> {
        let Node { at, kind } = node;
        let Kind::Scalar(text) = kind else {
            self.flaws.push(flaw(at, "a name is expected before the colon"));
            return None;
        };
        if let Some((first, _)) = known.iter().find(|(first, _)| first.text == text) {
            let what = format!(
                "`{text}` stands here a second time; the first is in line {}",
                first.at.line
            );
            self.flaws.push(flaw(at, &what));
            return None;
        }
        Some(Name { at, text })
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

fn flaw(at: Place, what: &str) -> Flaw {
    Flaw {
        at,
        field: String::new(),
        what: what.to_owned(),
    }
}
