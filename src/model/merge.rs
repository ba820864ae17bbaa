//! A three-way merge of JSON: what either side changed since they were the same.

use std::fmt;

use serde_json::{Map, Value};

/// Two changes of one place that differ and have no parts that could be taken one by one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Clash(Path);

/// A place in a JSON text, such as `services[api].envs[PORT].value`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    /// The element of a list whose fields of these names say this.
    Element(Identity, String),
}

/// The fields that tell the elements of a list apart.
type Identity = &'static [&'static str];

/// What tells the elements of the lists of an app spec apart, the first that does: variables by their key, and by their
/// scope where a key stands there twice; components, databases and domains by their names, alerts by their rule. Any other
/// list (routes, for one, where the order counts) is one value.
const IDENTITIES: [Identity; 5] = [&["key"], &["key", "scope"], &["name"], &["domain"], &["rule"]];

/// What the API may leave out of a variable (`app_spec.go` of terraform-provider-digitalocean).
const DEFAULTS: [(&str, &str); 2] = [("type", "GENERAL"), ("scope", "RUN_AND_BUILD_TIME")];

/// How App Platform shows a value that it has encrypted: another text each time, whatever the value is.
const ENCRYPTED: &str = "EV[";

/// `theirs` with everything that `ours` has changed since `base`. Where both have changed the same value to the same, it
/// is taken once; an encrypted one that both have set is theirs, since nobody can compare them.
pub fn merged(base: &Value, ours: &Value, theirs: &Value) -> Result<Value, Clash> {
    let sides = Sides {
        base: Some(base),
        ours: Some(ours),
        theirs: Some(theirs),
    };
    let merged = sides.merged(&Path::default())?;
    Ok(merged.unwrap_or_default())
}

/// In how many places two texts say something else. The order of elements that can be told apart says nothing, and what is
/// left out says as much as its default.
#[must_use]
pub fn differences(one: &Value, other: &Value) -> usize {
    let both = Sides {
        base: None,
        ours: Some(one),
        theirs: Some(other),
    };
    both.differences()
}

impl Clash {
    /// Whether the place where two changes met is another one here than there.
    #[must_use]
    pub fn is_between(&self, one: &Value, other: &Value) -> bool {
        self.0.find(one) != self.0.find(other)
    }
}

/// One place on all sides; nothing where it is absent.
#[derive(Clone, Copy)]
struct Sides<'a> {
    base: Option<&'a Value>,
    ours: Option<&'a Value>,
    theirs: Option<&'a Value>,
}

impl<'a> Sides<'a> {
    fn merged(self, path: &Path) -> Result<Option<Value>, Clash> {
        let Self { base, ours, theirs } = self;
        if ours == theirs || base == ours {
            return Ok(theirs.cloned());
        }
        if base == theirs {
            return Ok(ours.cloned());
        }
        if let Some(objects) = self.objects() {
            return objects.merged(path).map(|fields| Some(Value::Object(fields)));
        }
        if let Some((identity, lists)) = self.lists() {
            let elements = lists.merged(identity, path)?;
            return Ok(Some(Value::Array(elements)));
        }
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if is_encrypted(ours) && is_encrypted(theirs) => {
                Ok(Some(theirs.clone()))
            }
            _ => Err(Clash(path.clone())),
        }
    }

    /// In how many places ours and theirs differ.
    fn differences(self) -> usize {
        if self.ours == self.theirs {
            return 0;
        }
        if let Some(objects) = self.objects() {
            let names = objects.names();
            return names
                .map(|name| objects.field(name).said(name).differences())
                .sum();
        }
        if let Some((identity, lists)) = self.lists() {
            let ids = lists.ids(identity);
            return ids
                .iter()
                .map(|id| lists.element(identity, id).differences())
                .sum();
        }
        1
    }

    /// The same without what is said by leaving it out too.
    fn said(self, name: &str) -> Self {
        let is_default = |value: &Value| {
            DEFAULTS
                .iter()
                .any(|(field, word)| name == *field && value == word)
        };
        let said = |side: Option<&'a Value>| side.filter(|value| !is_default(value));
        Self {
            base: said(self.base),
            ours: said(self.ours),
            theirs: said(self.theirs),
        }
    }

    /// Objects on both sides; one that was not there before is an empty one.
    fn objects(self) -> Option<Objects<'a>> {
        let base = self.base.map(Value::as_object);
        let (ours, theirs) = (self.ours?.as_object()?, self.theirs?.as_object()?);
        let base = base.map_or(Some(None), |base| base.map(Some))?;
        Some(Objects { base, ours, theirs })
    }

    /// Lists whose elements can be told apart; the API leaves an empty one out.
    fn lists(self) -> Option<(Identity, Lists<'a>)> {
        let list =
            |side: Option<&'a Value>| side.map_or(Some(&[][..]), |list| list.as_array().map(Vec::as_slice));
        let lists = Lists {
            base: list(self.base)?,
            ours: list(self.ours)?,
            theirs: list(self.theirs)?,
        };
        let identity = IDENTITIES
            .into_iter()
            .find(|identity| lists.are_told_apart_by(identity));
        Some((identity?, lists))
    }
}

struct Objects<'a> {
    base: Option<&'a Map<String, Value>>,
    ours: &'a Map<String, Value>,
    theirs: &'a Map<String, Value>,
}

impl<'a> Objects<'a> {
    fn merged(&self, path: &Path) -> Result<Map<String, Value>, Clash> {
        let mut merged = Map::new();
        for name in self.names() {
            let value = self.field(name).merged(&path.then(Step::Field(name.clone())))?;
            merged.extend(value.map(|value| (name.clone(), value)));
        }
        Ok(merged)
    }

    /// In their order; what only we have comes after it.
    fn names(&self) -> impl Iterator<Item = &'a String> {
        let theirs = self.theirs;
        let added = self.ours.keys().filter(move |name| !theirs.contains_key(*name));
        theirs.keys().chain(added)
    }

    fn field(&self, name: &str) -> Sides<'a> {
        Sides {
            base: self.base.and_then(|base| base.get(name)),
            ours: self.ours.get(name),
            theirs: self.theirs.get(name),
        }
    }
}

struct Lists<'a> {
    base: &'a [Value],
    ours: &'a [Value],
    theirs: &'a [Value],
}

impl<'a> Lists<'a> {
    fn are_told_apart_by(&self, identity: Identity) -> bool {
        let told_apart = |list: &[Value]| {
            let ids: Option<Vec<String>> = list.iter().map(|element| id(identity, element)).collect();
            ids.is_some_and(|ids| (1..ids.len()).all(|at| !ids[..at].contains(&ids[at])))
        };
        [self.base, self.ours, self.theirs].into_iter().all(told_apart)
    }

    fn merged(&self, identity: Identity, path: &Path) -> Result<Vec<Value>, Clash> {
        let mut merged = Vec::new();
        for id in self.ids(identity) {
            let sides = self.element(identity, &id);
            merged.extend(sides.merged(&path.then(Step::Element(identity, id)))?);
        }
        Ok(merged)
    }

    /// In their order; what only we have comes after it.
    fn ids(&self, identity: Identity) -> Vec<String> {
        let ids = |list: &[Value]| list.iter().filter_map(|element| id(identity, element)).collect();
        let (mut all, ours): (Vec<String>, Vec<String>) = (ids(self.theirs), ids(self.ours));
        all.extend(
            ours.into_iter()
                .filter(|id| element(self.theirs, identity, id).is_none()),
        );
        all
    }

    fn element(&self, identity: Identity, id: &str) -> Sides<'a> {
        Sides {
            base: element(self.base, identity, id),
            ours: element(self.ours, identity, id),
            theirs: element(self.theirs, identity, id),
        }
    }
}

/// What tells an element from the others; nothing where it lacks the first of these fields.
fn id(identity: Identity, element: &Value) -> Option<String> {
    element.get(identity.first()?)?.as_str()?;
    let words = identity.iter().filter_map(|field| element.get(field)?.as_str());
    Some(words.collect::<Vec<_>>().join(" "))
}

fn element<'a>(list: &'a [Value], identity: Identity, wanted: &str) -> Option<&'a Value> {
    list.iter()
        .find(|element| id(identity, element).as_deref() == Some(wanted))
}

fn is_encrypted(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(ENCRYPTED))
}

impl Path {
    fn then(&self, step: Step) -> Self {
        let steps = self.0.iter().cloned().chain([step]);
        Self(steps.collect())
    }

    fn find<'a>(&self, within: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(within, |value, step| match step {
            Step::Field(name) => value.get(name),
            Step::Element(identity, id) => element(value.as_array()?, identity, id),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Element(_, id) => write!(f, "[{id}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base() -> Value {
        json!({
            "name": "shop",
            "envs": [{ "key": "A", "value": "1" }, { "key": "B", "value": "2", "scope": "RUN_TIME" }],
            "services": [{ "name": "api", "instance_count": 1, "envs": [] }, { "name": "admin" }],
            "ingress": { "rules": [{ "component": "api" }] },
        })
    }

    fn changed(change: impl FnOnce(&mut Value)) -> Value {
        let mut spec = base();
        change(&mut spec);
        spec
    }

    fn push(list: &mut Value, element: Value) {
        list.as_array_mut().expect("a list").push(element);
    }

    #[track_caller]
    fn comes_to(ours: &Value, theirs: &Value, wanted: &Value) {
        assert_eq!(merged(&base(), ours, theirs).as_ref(), Ok(wanted));
    }

    #[test]
    fn what_only_one_side_changed_is_taken_from_it_with_its_order() {
        let theirs = changed(|spec| spec["services"][0]["instance_count"] = json!(2));
        comes_to(&base(), &theirs, &theirs);
        comes_to(&theirs, &base(), &theirs);
        comes_to(&theirs, &theirs, &theirs);
    }

    #[test]
    fn entries_and_fields_of_both_sides_come_together() {
        let ours = changed(|spec| {
            push(&mut spec["envs"], json!({ "key": "OURS", "value": "x" }));
            spec["envs"][0]["value"] = json!("10");
            spec["services"][1]["instance_count"] = json!(3);
        });
        let theirs = changed(|spec| {
            push(&mut spec["envs"], json!({ "key": "THEIRS", "value": "y" }));
            spec["envs"].as_array_mut().expect("a list").remove(1);
            spec["services"][0]["instance_count"] = json!(2);
        });
        let wanted = changed(|spec| {
            spec["envs"] = json!([
                { "key": "A", "value": "10" },
                { "key": "THEIRS", "value": "y" },
                { "key": "OURS", "value": "x" },
            ]);
            spec["services"][0]["instance_count"] = json!(2);
            spec["services"][1]["instance_count"] = json!(3);
        });
        comes_to(&ours, &theirs, &wanted);
    }

    #[test]
    fn a_list_that_was_left_out_is_an_empty_one() {
        let ours = changed(|spec| spec["workers"] = json!([{ "name": "mailer" }]));
        let theirs = changed(|spec| spec["workers"] = json!([{ "name": "cleaner" }]));
        let both = changed(|spec| spec["workers"] = json!([{ "name": "cleaner" }, { "name": "mailer" }]));
        comes_to(&ours, &theirs, &both);
    }

    #[test]
    fn a_key_that_stands_there_twice_is_told_apart_by_its_scope() {
        let twice = |run: &str, build: &str| {
            json!({ "envs": [
                { "key": "A", "value": run, "scope": "RUN_TIME" },
                { "key": "A", "value": build, "scope": "BUILD_TIME" },
            ]})
        };
        let came = merged(&twice("1", "1"), &twice("2", "1"), &twice("1", "3"));
        assert_eq!(came, Ok(twice("2", "3")));
    }

    #[test]
    fn two_values_of_one_place_clash_and_the_place_is_told() {
        let with = |count: i32| changed(|spec| spec["services"][0]["instance_count"] = json!(count));
        let clash = merged(&base(), &with(2), &with(3)).expect_err("two values");
        assert_eq!(clash.to_string(), "services[api].instance_count");
        assert!(clash.is_between(&base(), &with(2)) && !clash.is_between(&with(2), &with(2)));
        let with =
            |route: &str| changed(|spec| push(&mut spec["ingress"]["rules"], json!({ "component": route })));
        let clash = merged(&base(), &with("a"), &with("b")).expect_err("two lists");
        assert_eq!(clash.to_string(), "ingress.rules");
    }

    #[test]
    fn what_one_side_removed_and_the_other_changed_clashes() {
        let ours = changed(|spec| spec["services"][1]["instance_count"] = json!(3));
        let theirs = changed(|spec| drop(spec["services"].as_array_mut().map(Vec::pop)));
        let clash = merged(&base(), &ours, &theirs).expect_err("removed and changed");
        assert_eq!(clash.to_string(), "services[admin]");
    }

    #[test]
    fn differences_are_counted_place_by_place() {
        assert_eq!(differences(&base(), &base()), 0);
        let other = changed(|spec| {
            push(&mut spec["envs"], json!({ "key": "OURS", "value": "x" }));
            spec["envs"][0]["value"] = json!("10");
            spec["ingress"]["rules"] = json!([]);
        });
        assert_eq!(differences(&base(), &other), 3);
    }

    #[test]
    fn neither_the_order_of_variables_nor_a_default_is_a_difference() {
        let other = changed(|spec| {
            let envs = spec["envs"].as_array_mut().expect("a list");
            envs.reverse();
            envs[1]["type"] = json!("GENERAL");
            envs[1]["scope"] = json!("RUN_AND_BUILD_TIME");
        });
        assert_eq!(differences(&base(), &other), 0);
    }

    #[test]
    fn of_two_encrypted_values_the_later_is_taken() {
        let with = |value: &str| changed(|spec| spec["envs"][0]["value"] = json!(value));
        comes_to(&with("EV[1:a:b]"), &with("EV[1:c:d]"), &with("EV[1:c:d]"));
    }
}
