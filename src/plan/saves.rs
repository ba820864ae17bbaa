//! Whose saves of an app came between our reading and our writing, and what the app should hold so that none of them is
//! lost.
//!
//! A PUT replaces the whole spec, and the API has neither a version nor a condition for it. But every save leaves a
//! deployment with a copy of what was saved. So the specs that stood in the app since it was read can be gone through in
//! their order: what each save of somebody else changed of the one before it is wanted, and so is our own change, last of
//! all. Where that is not what stands, it is to be sent.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::merge::{Clash, differences, merged};
use crate::model::spec::{AppSpec, Env, NoSuchComponent, Place};

/// A spec that stood in the app for a while.
#[derive(Debug, Clone)]
pub struct Version {
    /// The deployment that came of it; nothing where there was none.
    pub deployment: Option<String>,
    /// An older one, where it is told: the deployment that it was to replace.
    pub previous: Option<String>,
    /// What was saved.
    pub spec: AppSpec,
}

/// All that is known of the saves of one app since it was read.
#[derive(Debug, Clone)]
pub struct Saves<'e> {
    edits: &'e [(Place, Env)],
    base: AppSpec,
    /// The base with the variables.
    first: AppSpec,
    sent: Vec<Sent>,
    /// The deployments that were listed last.
    listed: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Sent {
    spec: AppSpec,
    /// The deployments that were there before: none of them is what came of it, whatever it carries.
    before: BTreeSet<String>,
    /// The deployment that the answer named.
    deployment: Option<String>,
}

/// What has become of what was sent last.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Whether it shows anywhere that it was carried out.
    pub landed: bool,
    /// The deployment that carries it, where one is known.
    pub deployment: Option<String>,
    /// What is to be sent, since what stands lacks something; nothing where it lacks nothing.
    pub wanted: Option<AppSpec>,
}

/// Two saves that cannot be brought together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// What came of the two, in their order: the id of a deployment where there is one.
    saves: [Option<String>; 2],
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    Clash(Clash),
    Removed(NoSuchComponent),
}

/// A version, and which of the specs that we sent it is, if any.
struct Told {
    version: Version,
    sent: Option<usize>,
}

impl<'e> Saves<'e> {
    /// From the spec as it was read: these variables are to be written into it.
    pub fn since(base: AppSpec, edits: &'e [(Place, Env)]) -> Result<Self, NoSuchComponent> {
        let first = edited(&base, edits)?;
        Ok(Self {
            edits,
            base,
            first,
            sent: Vec::new(),
            listed: BTreeSet::new(),
        })
    }

    /// What is sent first.
    #[must_use]
    pub fn first(&self) -> &AppSpec {
        &self.first
    }

    /// Takes note of what was sent, and of the deployment that the answer named as what came of it.
    pub fn sent(&mut self, spec: AppSpec, deployment: Option<String>) {
        let before = self.listed.clone();
        self.sent.push(Sent {
            spec,
            before,
            deployment,
        });
    }

    /// Whether this is what was sent last, as far as it can be compared.
    #[must_use]
    pub fn is_as_sent(&self, spec: &AppSpec) -> bool {
        self.sent.last().is_some_and(|sent| self.carries(sent, spec))
    }

    /// Whether the spec is the one that was read.
    #[must_use]
    pub fn is_as_read(&self, spec: &AppSpec) -> bool {
        alike(&self.base, spec)
    }

    /// Goes through the deployments made since the app was read, the newest first, as the API lists them. `standing` is
    /// the app's spec where it was read after them: of what was sent, or saved, without a deployment it alone tells.
    pub fn judge(
        &mut self,
        listed: Vec<Version>,
        standing: Option<AppSpec>,
    ) -> Result<Judged, Contradiction> {
        let ids = listed.iter().filter_map(|version| version.deployment.clone());
        self.listed = ids.collect();
        let history = self.history(listed, standing);
        let wanted = self.wanted(&history)?;
        let last = history.last().map_or(&self.base, |told| &told.version.spec);
        let stands = self.holds(last) && edited(last, self.edits).is_ok_and(|last| alike(&last, &wanted));
        let ours = self.last_of_ours(&history);
        let shown = ours.filter(|ours| ours.version.deployment.is_some());
        let shown = shown.or_else(|| history.iter().rfind(|told| self.holds(&told.version.spec)));
        Ok(Judged {
            landed: ours.is_some(),
            deployment: shown.and_then(|told| told.version.deployment.clone()),
            wanted: (!stands).then_some(wanted),
        })
    }

    /// What stood in the app, oldest first, each told as ours or somebody else's by what it carries.
    fn history(&self, listed: Vec<Version>, standing: Option<AppSpec>) -> Vec<Told> {
        let mut history: Vec<Told> = in_order(listed).into_iter().map(Told::others).collect();
        // One that was sent twice came to something the last time, if it came once.
        for (number, sent) in self.sent.iter().enumerate().rev() {
            let made = |told: &&mut Told| told.sent.is_none() && self.is_made_by(sent, &told.version);
            if let Some(told) = history.iter_mut().find(made) {
                told.sent = Some(number);
            }
        }
        self.leave_out_what_was_read(&mut history);
        if !self.edits.is_empty() && self.last_of_ours(&history).is_none() {
            self.place(&mut history, standing.as_ref());
        }
        if let Some(standing) = standing {
            self.end_with(standing, &mut history);
        }
        history
    }

    /// A deployment that shows late may be of a save that was read already: the one that says what was read, and all before
    /// it. One of ours is later.
    fn leave_out_what_was_read(&self, history: &mut Vec<Told>) {
        let ours = history.iter().position(|told| told.sent.is_some());
        let earlier = &history[..ours.unwrap_or(history.len())];
        let read = earlier
            .iter()
            .rposition(|told| self.is_as_read(&told.version.spec));
        if let Some(read) = read {
            history.drain(..=read);
        }
    }

    /// What stands was saved last, wherever the list has it.
    fn end_with(&self, standing: AppSpec, history: &mut Vec<Told>) {
        let last = history.last().map_or(&self.base, |told| &told.version.spec);
        if alike(last, &standing) {
            return;
        }
        let listed = history
            .iter()
            .rposition(|told| alike(&told.version.spec, &standing));
        let last = match listed {
            Some(at) => history.remove(at),
            None => Told::others(Version::without_deployment(standing)),
        };
        history.push(last);
    }

    /// What came of what was sent last.
    fn last_of_ours<'h>(&self, history: &'h [Told]) -> Option<&'h Told> {
        let last = self.sent.len().checked_sub(1)?;
        history.iter().find(|told| told.sent == Some(last))
    }

    /// Puts what was sent last where it must have been although no deployment shows it: at the end where it stands, else
    /// before the first save that was made of it.
    fn place(&self, history: &mut Vec<Told>, standing: Option<&AppSpec>) {
        let Some((sent, before)) = self.sent.split_last() else {
            return;
        };
        let stands = standing.filter(|spec| self.carries(sent, spec));
        let built_on = || {
            let mut told = history.iter();
            told.position(|told| told.sent.is_none() && self.holds(&told.version.spec))
        };
        let Some(at) = stands.map_or_else(built_on, |_| Some(history.len())) else {
            return;
        };
        let version = Version {
            deployment: sent.deployment.clone(),
            ..Version::without_deployment(stands.unwrap_or(&sent.spec).clone())
        };
        let sent = Some(before.len());
        history.insert(at, Told { version, sent });
    }

    /// What should stand: what others have changed, one save after the other, and our variables.
    fn wanted(&self, history: &[Told]) -> Result<AppSpec, Contradiction> {
        let (mut before, mut wanted) = (vec![self.first.clone()], self.first.clone());
        for (at, told) in history.iter().enumerate() {
            let after = edited(&told.version.spec, self.edits);
            let after = after.map_err(|missing| self.removed(missing, &told.version, history))?;
            wanted = if let Some(sent) = told.sent.and_then(|number| self.sent.get(number)) {
                // App Platform may keep it in another form than it was sent in. That is no save of anybody.
                merged(sent.spec.raw(), after.raw(), wanted.raw()).map_or(wanted, AppSpec::new)
            } else {
                let origin = self.origin(&before, &after);
                let both = merged(origin.raw(), wanted.raw(), after.raw());
                AppSpec::new(both.map_err(|clash| self.clashing(clash, &history[..=at]))?)
            };
            before.push(after);
        }
        Ok(wanted)
    }

    /// What somebody had read who saved this: a page may have been opened before the latest saves. It is the one of which
    /// the least was changed, and of several the latest. Nobody saves a page without a change: what is the same as an
    /// older one takes the latest changes back.
    fn origin<'s>(&'s self, before: &'s [AppSpec], saved: &AppSpec) -> &'s AppSpec {
        let changes = |spec: &&AppSpec| differences(spec.raw(), saved.raw());
        let latest = before.last().unwrap_or(&self.first);
        let nearest = before.iter().rev().min_by_key(changes).unwrap_or(latest);
        if changes(&nearest) == 0 { latest } else { nearest }
    }

    fn removed(&self, missing: NoSuchComponent, by: &Version, history: &[Told]) -> Contradiction {
        let shown = self
            .last_of_ours(history)
            .and_then(|ours| ours.version.deployment.clone());
        let named = || self.sent.last().and_then(|sent| sent.deployment.clone());
        Contradiction {
            saves: [by.deployment.clone(), shown.or_else(named)],
            why: Why::Removed(missing),
        }
    }

    /// The last save clashes with the latest one before it that changed the same place.
    fn clashing(&self, clash: Clash, history: &[Told]) -> Contradiction {
        let specs = std::iter::once(&self.base).chain(history.iter().map(|told| &told.version.spec));
        let changed = |(before, told): &(&AppSpec, &Told)| {
            told.sent.is_none() && clash.is_between(before.raw(), told.version.spec.raw())
        };
        let changing: Vec<_> = specs.zip(history).filter(changed).collect();
        let mut latest = changing.into_iter().rev();
        let mut named = || {
            latest
                .next()
                .and_then(|(_, told)| told.version.deployment.clone())
        };
        let (other, one) = (named(), named());
        Contradiction {
            saves: [one, other],
            why: Why::Clash(clash),
        }
    }

    fn is_made_by(&self, sent: &Sent, version: &Version) -> bool {
        // An answer may name the deployment of an earlier PUT where this one came to nothing.
        let is_older = version
            .deployment
            .as_ref()
            .is_some_and(|id| sent.before.contains(id));
        let named = sent.deployment.is_some() && sent.deployment == version.deployment;
        !is_older && (named && self.holds(&version.spec) || self.carries(sent, &version.spec))
    }

    /// Whether the spec is what was sent: all of it as it was, our secrets encrypted.
    fn carries(&self, sent: &Sent, spec: &AppSpec) -> bool {
        self.holds(spec) && edited(spec, self.edits).is_ok_and(|spec| alike(&spec, &sent.spec))
    }

    /// Whether our variables stand in it; secrets count when they are encrypted.
    fn holds(&self, spec: &AppSpec) -> bool {
        self.edits.iter().all(|(place, env)| spec.has(place, env))
    }
}

impl Told {
    fn others(version: Version) -> Self {
        Self { version, sent: None }
    }
}

impl Version {
    fn without_deployment(spec: AppSpec) -> Self {
        Self {
            deployment: None,
            previous: None,
            spec,
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |save: &Option<String>| {
            let made = save.as_ref().map(|id| format!("deployment {id}"));
            made.unwrap_or_else(|| "a save that made no deployment".to_owned())
        };
        let [one, other] = self.saves.each_ref().map(named);
        match &self.why {
            Why::Clash(place) => {
                write!(
                    f,
                    "{one} and {other} change {place} in ways that exclude each other"
                )
            }
            Why::Removed(missing) => {
                write!(
                    f,
                    "{one} removes what this run ({other}) gives the key to: {missing}"
                )
            }
        }
    }
}

/// The spec with these variables.
fn edited(spec: &AppSpec, edits: &[(Place, Env)]) -> Result<AppSpec, NoSuchComponent> {
    let mut edits = edits.iter();
    edits.try_fold(spec.clone(), |spec, (place, env)| {
        spec.with(place, std::slice::from_ref(env))
    })
}

/// The oldest first. A list need not order what was made in one second; that one names another as older does.
fn in_order(mut listed: Vec<Version>) -> Vec<Version> {
    listed.reverse();
    let mut ordered = Vec::with_capacity(listed.len());
    while !listed.is_empty() {
        let follows_none = |version: &Version| {
            let mut left = listed.iter().filter_map(|other| other.deployment.as_ref());
            version
                .previous
                .as_ref()
                .is_none_or(|previous| left.all(|id| id != previous))
        };
        let next = listed.iter().position(follows_none).unwrap_or_default();
        ordered.push(listed.remove(next));
    }
    ordered
}

/// Whether two specs say the same, in whatever order and with whatever defaults.
fn alike(one: &AppSpec, other: &AppSpec) -> bool {
    differences(one.raw(), other.raw()) == 0
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::spec::EnvKind;

    fn spec(envs: &[(&str, &str)]) -> AppSpec {
        let envs: Vec<Value> = envs
            .iter()
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect();
        AppSpec::new(json!({ "name": "shop", "envs": envs }))
    }

    fn ours() -> [(Place, Env); 1] {
        let env = Env {
            key: "OURS".to_owned(),
            value: "new".to_owned(),
            kind: EnvKind::General,
        };
        [(Place::App, env)]
    }

    fn version(id: &str, envs: &[(&str, &str)]) -> Version {
        Version {
            deployment: Some(id.to_owned()),
            previous: None,
            spec: spec(envs),
        }
    }

    /// What is judged of these deployments, the oldest first, after this was sent.
    fn judged(
        sent: &[&[(&str, &str)]],
        made: &[Version],
        standing: Option<AppSpec>,
    ) -> Result<Judged, Contradiction> {
        let edits = ours();
        let mut saves = Saves::since(spec(&[("OURS", "old")]), &edits).expect("the app level exists");
        for envs in sent {
            saves.sent(spec(envs), None);
        }
        saves.judge(made.iter().rev().cloned().collect(), standing)
    }

    const SENT: &[(&str, &str)] = &[("OURS", "new")];

    #[test]
    fn what_stands_alone_is_not_sent_again() {
        let judged = judged(&[SENT], &[version("d1", SENT)], None).expect("no contradiction");
        let deployment = Some("d1".to_owned());
        assert_eq!(
            judged,
            Judged {
                landed: true,
                deployment,
                wanted: None
            }
        );
    }

    #[test]
    fn our_own_deployment_is_known_by_what_it_carries() {
        let later = version("d2", &[("OURS", "new"), ("THEIRS", "1")]);
        let judged = judged(&[SENT], &[version("d1", SENT), later], None).expect("no contradiction");
        assert_eq!(judged.deployment.as_deref(), Some("d1"));
        assert_eq!(judged.wanted, None, "theirs was made of ours");
    }

    #[test]
    fn a_save_that_ours_replaced_is_brought_back() {
        let made = [
            version("d1", &[("OURS", "old"), ("THEIRS", "1")]),
            version("d2", SENT),
        ];
        let judged = judged(&[SENT], &made, None).expect("no contradiction");
        let wanted = judged.wanted.expect("theirs is lost");
        assert!(
            alike(&wanted, &spec(&[("OURS", "new"), ("THEIRS", "1")])),
            "{wanted:?}"
        );
    }

    #[test]
    fn what_leaves_no_trace_has_not_landed() {
        let judged = judged(&[SENT], &[], Some(spec(&[("OURS", "old")]))).expect("no contradiction");
        assert!(!judged.landed && judged.deployment.is_none());
        assert!(judged.wanted.is_some_and(|wanted| alike(&wanted, &spec(SENT))));
    }

    #[test]
    fn what_stands_without_a_deployment_has_landed_after_all_others() {
        let theirs = version("d1", &[("OURS", "old"), ("THEIRS", "1")]);
        let judged = judged(&[SENT], &[theirs], Some(spec(SENT))).expect("no contradiction");
        assert!(judged.landed && judged.wanted.is_some(), "{judged:?}");
    }

    #[test]
    fn a_spec_that_is_kept_in_another_form_is_not_sent_for_ever() {
        let mut kept = version("d1", SENT);
        kept.spec = AppSpec::new(json!({
            "name": "shop",
            "region": "added by the platform",
            "envs": [{ "key": "OURS", "value": "new", "scope": "RUN_AND_BUILD_TIME" }],
        }));
        let standing = kept.spec.clone();
        let judged = judged(&[SENT], &[kept], Some(standing)).expect("no contradiction");
        assert_eq!(judged.wanted, None);
    }

    #[test]
    fn a_page_that_was_opened_while_an_earlier_save_was_replaced_takes_nothing_away() {
        let both: &[(&str, &str)] = &[("OURS", "new"), ("FIRST", "1")];
        let made = [
            version("d1", &[("OURS", "old"), ("FIRST", "1")]),
            version("d2", SENT),
            version("d3", both),
            version("d4", &[("OURS", "new"), ("SECOND", "2")]),
        ];
        let judged = judged(&[SENT, both], &made, None).expect("no contradiction");
        let wanted = judged.wanted.expect("the first is lost");
        let has = |key: &str| wanted.value(&Place::App, key).is_some();
        assert!(has("FIRST") && has("SECOND"), "{wanted:?}");
    }

    #[test]
    fn two_saves_of_one_value_are_told_by_their_deployments() {
        let both: &[(&str, &str)] = &[("OURS", "new"), ("PORT", "1")];
        let made = [
            version("d1", &[("OURS", "old"), ("PORT", "1")]),
            version("d2", SENT),
            version("d3", &[("OURS", "new"), ("PORT", "2")]),
            version("d4", both),
        ];
        let contradiction = judged(&[SENT, both], &made, None).expect_err("one value or the other");
        let told = contradiction.to_string();
        assert!(told.contains("d1 and deployment d3 change envs[PORT]"), "{told}");
    }

    #[test]
    fn one_that_names_another_as_older_comes_after_it() {
        let made = |id: &str, previous: Option<&str>| Version {
            previous: previous.map(str::to_owned),
            ..version(id, SENT)
        };
        let listed = vec![made("a", None), made("b", Some("a")), made("c", Some("b"))];
        let order: Vec<_> = in_order(listed)
            .into_iter()
            .filter_map(|version| version.deployment)
            .collect();
        assert_eq!(
            order,
            ["a", "b", "c"],
            "though they are listed as if a were the newest"
        );
    }
}
