//! Things that there are many of: lists, and what has names.

use serde_json::{Value, json};

use super::read::{Field, Reader, Spot, Word, is_a, word};
use super::tree::{Kind, Name, Node};

/// A list of at most so many entries. Those that are wrong are left out, and counted, so that nobody takes a list of
/// them for an empty one.
#[derive(Debug, Clone)]
pub(super) struct List<T, const MOST: usize> {
    pub(super) items: Vec<T>,
    written: usize,
}

/// Named things in the order of the file. One that is wrong keeps its name, so that those who refer to it are not told
/// that it is missing.
#[derive(Debug, Clone)]
pub(super) struct Named<K, V> {
    pub(super) entries: Vec<(Spot<K>, Option<V>)>,
    /// How many there are with those that have no name.
    written: usize,
}

impl<T, const MOST: usize> List<T, MOST> {
    /// Whether nothing stands there, be it right or wrong.
    pub(super) const fn is_empty(&self) -> bool {
        self.written == 0
    }
}

impl<T, const MOST: usize> FromIterator<T> for List<T, MOST> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let items: Vec<T> = items.into_iter().collect();
        Self {
            written: items.len(),
            items,
        }
    }
}

impl<K, V> Named<K, V> {
    /// Whether nothing stands there, be it right or wrong.
    pub(super) const fn is_empty(&self) -> bool {
        self.written == 0
    }
}

impl<K, V> FromIterator<(Spot<K>, V)> for Named<K, V> {
    fn from_iter<I: IntoIterator<Item = (Spot<K>, V)>>(entries: I) -> Self {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(name, value)| (name, Some(value)))
            .collect();
        Self {
            written: entries.len(),
            entries,
        }
    }
}

impl<T: Field, const MOST: usize> Field for List<T, MOST> {
    fn absent() -> Option<Self> {
        Some(Self {
            items: Vec::new(),
            written: 0,
        })
    }

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Kind::Sequence(items) = &node.kind else {
            reader.refuse(node.at, format!("{}; a list is expected", is_a(&node.kind)));
            return None;
        };
        let written = items.len();
        if written > MOST {
            reader.refuse(
                node.at,
                format!("it has {written} entries; at most {MOST} are taken"),
            );
        }
        let items = items.iter().take(MOST).enumerate();
        let read = items
            .filter_map(|(index, item)| reader.within(&index.to_string(), |reader| T::read(item, reader)));
        Some(Self {
            items: read.collect(),
            written,
        })
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema(), "maxItems": MOST })
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
        let entry = |(name, value): &(Name, Node)| {
            let read = reader.within(&name.text, |reader| V::read(value, reader));
            Some((word(name.at, &name.text, reader)?, read))
        };
        Some(Self {
            entries: fields.iter().filter_map(entry).collect(),
            written: fields.len(),
        })
    }

    fn schema() -> Value {
        let mut names = K::schema();
        if let Some(object) = names.as_object_mut() {
            object.remove("description");
        }
        json!({ "type": "object", "propertyNames": names, "additionalProperties": V::schema() })
    }
}
