//! Whose the names are that a key would be delivered to. Nobody can read a secret back, so what is not ours is asked about
//! before it is overwritten: this is the one verdict for the plan, a dry run and `check`.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::Brief;
use super::FamilyPlan;
use super::generations::{Generation, Generations, LEASE};
use crate::model::bucket::{BucketName, LoggingWish};
use crate::model::desired::{AppRef, AppSink, Desired, GitHubSink, ID_VARIABLE, WantedFamily};
use crate::model::key::AccessKeyId;
use crate::model::name::{Family, KeyName};
use crate::model::observed::{AppState, Observed, TargetState};
use crate::model::problem::Problem;
use crate::model::sink::Target;
use crate::model::spec::Place;
use crate::model::time::Timestamp;

/// How far GitHub's clock may be behind DigitalOcean's. It may be generous: whoever minted the key of a delivery that was
/// broken off had asked whose the sinks are before.
const CLOCKS_APART: Duration = Duration::from_hours(1);

/// A place with names that the family would write, and that are not its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// The family that would write there.
    pub family: Family,
    /// Where.
    pub sink: SinkPlace,
    /// Whose it is as far as it can be seen, and what to do.
    pub problem: Problem,
    /// When a secret that nobody's id stands beside was last written, by GitHub's clock.
    pub(super) written: Option<Timestamp>,
}

/// Where a key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkPlace {
    /// Secrets and variables.
    GitHub(Target),
    /// The environment of an app or of one of its components.
    App(AppRef, Place),
}

/// The buckets that only such keys open, and those that only receive the logs of these: they are left as they are.
pub(super) fn withheld(desired: &Desired, families: &[FamilyPlan]) -> BTreeSet<BucketName> {
    let families = desired.families.iter().zip(families);
    let (stopped, going): (Vec<_>, Vec<_>) =
        families.partition(|(_, plan)| !plan.judgement.strangers.is_empty());
    let going: BTreeSet<&BucketName> = going
        .iter()
        .flat_map(|(wanted, _)| wanted.grants.keys())
        .collect();
    let stopped = stopped.iter().flat_map(|(wanted, _)| wanted.grants.keys());
    let mut withheld: BTreeSet<BucketName> = stopped
        .filter(|bucket| !going.contains(bucket))
        .cloned()
        .collect();
    let logs = |to: &BucketName| {
        let sources = desired.buckets.iter().filter(
            |wanted| matches!(&wanted.logging, Some(LoggingWish::To(logging)) if logging.target == *to),
        );
        sources.map(|wanted| &wanted.name).collect::<Vec<_>>()
    };
    let of_logs = desired.buckets.iter().filter(|wanted| {
        let sources = logs(&wanted.name);
        let unheld = !desired.grants(&wanted.name);
        unheld && !sources.is_empty() && sources.iter().all(|source| withheld.contains(*source))
    });
    let of_logs: Vec<BucketName> = of_logs.map(|wanted| wanted.name.clone()).collect();
    withheld.extend(of_logs);
    withheld
}

/// What this family would overwrite. Where another run is at the family, it is waited for first.
pub(super) fn strangers(
    wanted: &WantedFamily,
    generations: &Generations,
    observed: &Observed,
    brief: &Brief<'_>,
) -> Vec<Stranger> {
    if brief.overwrite || observed.keys.is_err() || !generations.rivals.is_empty() {
        return Vec::new();
    }
    let question = Question {
        wanted,
        generations,
        observed,
        adopted: brief.adopted,
    };
    let github = wanted.github.iter().filter_map(|sink| {
        let state = observed.targets.get(&sink.target)?.as_ref().ok()?;
        question.of_github(sink, state)
    });
    let apps = wanted.apps.iter().flat_map(|sink| {
        let state = observed.apps.get(&sink.app).and_then(|state| state.as_ref().ok());
        let places = state.into_iter().flat_map(|state| {
            sink.places
                .iter()
                .filter_map(|place| question.of_place(sink, place, state))
        });
        places.collect::<Vec<_>>()
    });
    github.chain(apps).collect()
}

/// Who has written a place, as far as it can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// This family, or nobody who is left.
    Ours,
    /// A key that exists, and whose it is.
    Key(AccessKeyId, Keeper),
    /// Somebody whose key is named by reference.
    Reference(String),
    /// Nothing says.
    Unknown,
}

/// Who looks after a key that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Keeper {
    /// A family of Spacekeeper's.
    Family(Family),
    /// Somebody else, who calls it so.
    Tool(String),
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Family(family) => write!(f, "the key of family {family}"),
            Self::Tool(name) => write!(f, "a key of another tool, called \"{name}\""),
        }
    }
}

/// One family, and what it asks of each of its places.
struct Question<'a> {
    wanted: &'a WantedFamily,
    generations: &'a Generations,
    observed: &'a Observed,
    adopted: Option<&'a AccessKeyId>,
}

impl Question<'_> {
    fn of_github(&self, sink: &GitHubSink, state: &TargetState) -> Option<Stranger> {
        let secrets: Vec<(String, Timestamp)> = sink
            .secrets()
            .filter_map(|name| Some((name.to_string(), *state.secrets.get(name.as_str())?)))
            .collect();
        let others = sink.variables.iter().filter(|variable| {
            let found = state.variables.get(&variable.name);
            found.is_some_and(|found| *found != variable.value)
        });
        let others: Vec<String> = others.map(|variable| variable.name.to_string()).collect();
        let id = sink.id_variable.as_ref();
        let named = id.and_then(|name| Some((name, filled(state.variables.get(name)?)?)));
        let written = secrets.iter().map(|(_, at)| *at).max();
        let ours_by_time = !secrets.is_empty() && secrets.iter().all(|(_, at)| self.is_ours_by_time(*at));
        let owner = match named.map(|(_, id)| self.owner_of(id)) {
            Some(owner) if owner != Owner::Unknown => owner,
            _ if secrets.is_empty() && others.is_empty() => Owner::Ours,
            _ if ours_by_time || self.is_given_over() => Owner::Ours,
            _ => Owner::Unknown,
        };
        let names = secrets.into_iter().map(|(name, _)| name).chain(others);
        let stranger = self.stranger(
            SinkPlace::GitHub(sink.target.clone()),
            &owner,
            &names.collect::<Vec<_>>(),
            named.map(|(name, _)| name.as_str()),
            written,
        );
        stranger.map(|stranger| Stranger {
            written: written.filter(|_| owner == Owner::Unknown),
            ..stranger
        })
    }

    /// An app tells no times; but what it serves shows who had written there before.
    fn of_place(&self, sink: &AppSink, place: &Place, state: &AppState) -> Option<Stranger> {
        let id_key = sink.key(ID_VARIABLE);
        let held = |key: &str| state.spec.value(place, key).and_then(filled);
        let keys = ["SPACES_ACCESS_KEY", "SPACES_SECRET_KEY"].map(|name| sink.key(name));
        let secrets = keys.into_iter().filter(|key| held(key).is_some());
        let others = sink.variables.iter().filter(|variable| {
            let found = held(variable.name.as_str());
            found.is_some_and(|found| found != variable.value)
        });
        let others = others.map(|variable| variable.name.to_string());
        let names: Vec<String> = secrets.chain(others).collect();
        let served = || {
            let deployments = state.active.iter().chain(&state.coming);
            let mut specs = deployments.filter_map(|deployment| deployment.spec.as_ref());
            specs.any(|spec| {
                let id = spec.value(place, &id_key).and_then(filled);
                id.is_some_and(|id| self.owner_of(id) == Owner::Ours)
            })
        };
        let named = held(&id_key);
        let owner = match named.map(|id| self.owner_of(id)) {
            Some(owner) if owner != Owner::Unknown => owner,
            _ if names.is_empty() || self.is_given_over() || served() => Owner::Ours,
            _ => Owner::Unknown,
        };
        self.stranger(
            SinkPlace::App(sink.app.clone(), place.clone()),
            &owner,
            &names,
            named.map(|_| id_key.as_str()),
            None,
        )
    }

    /// Whose key an id is. One that the account does not have any more is nobody's.
    fn owner_of(&self, id: &str) -> Owner {
        if self.adopted.is_some_and(|adopted| adopted.as_str() == id) {
            return Owner::Ours;
        }
        if id.contains("${") {
            return Owner::Reference(id.to_owned());
        }
        let mut keys = self.observed.keys().iter();
        let Some(key) = keys.find(|key| key.id.as_str() == id) else {
            // What never was the id of a Spaces key is no key that exists no more; it says nothing.
            return if is_of_spaces(id) {
                Owner::Ours
            } else {
                Owner::Unknown
            };
        };
        let keeper = match KeyName::parse(&key.name) {
            Some(name) if name.family == self.wanted.family => return Owner::Ours,
            Some(name) => Keeper::Family(name.family),
            None => Keeper::Tool(key.name.clone()),
        };
        Owner::Key(key.id.clone(), keeper)
    }

    /// A delivery writes no secret before its key is minted, nor longer than a lease before its stamp, which is of
    /// GitHub's clock like the time of the secret.
    fn is_ours_by_time(&self, written: Timestamp) -> bool {
        let active = |key: &Generation| written.after(LEASE) >= key.since();
        let broken_off = |key: &Generation| written.after(CLOCKS_APART) >= key.key.created_at;
        self.generations.active.iter().any(active) || self.generations.doubtful.iter().any(broken_off)
    }

    /// Whoever names a key to be adopted says that it is what stands where nobody can read it.
    fn is_given_over(&self) -> bool {
        let mut keys = self.observed.keys().iter();
        self.adopted
            .is_some_and(|adopted| keys.any(|key| key.id == *adopted))
    }

    fn stranger(
        &self,
        sink: SinkPlace,
        owner: &Owner,
        names: &[String],
        named_by: Option<&str>,
        written: Option<Timestamp>,
    ) -> Option<Stranger> {
        // Without a secret there is nothing that a key of this request would take the place of.
        let readable = matches!(sink, SinkPlace::GitHub(_)) && written.is_none();
        let (subject, place) = match &sink {
            SinkPlace::GitHub(target) if readable => (format!("variables of {target}"), String::new()),
            SinkPlace::GitHub(target) => (format!("secrets of {target}"), String::new()),
            SinkPlace::App(app, place) => (format!("app {app}"), format!(" at {place}")),
        };
        let names = if names.is_empty() {
            named_by?.to_owned()
        } else {
            names.join(", ")
        };
        let named_by = named_by.unwrap_or(ID_VARIABLE);
        let whose = match owner {
            Owner::Ours => return None,
            Owner::Key(id, keeper) => format!("{named_by} names {id}, {keeper}"),
            Owner::Reference(text) => format!("{named_by} is {text}, which somebody else has put there"),
            Owner::Unknown => format!("no {named_by} that names a Spaces key says whose"),
        };
        let written = written
            .map(|at| format!(", last written at {at}"))
            .unwrap_or_default();
        let what = format!(
            "{names}{place} exist already{written} and are not of key {}: {whose}",
            self.wanted.family
        );
        Some(Stranger {
            family: self.wanted.family.clone(),
            sink,
            problem: Problem::new(subject, what, remedy(owner, readable)),
            written: None,
        })
    }
}

fn remedy(owner: &Owner, readable: bool) -> String {
    if readable {
        return "Give variables: false, or in a manifest a suffix, so that each key has names of its own; or overwrite: true \
                (their values are replaced). Else correct app, key-name or the names."
            .to_owned();
    }
    let adopt = match owner {
        Owner::Key(id, _) => format!("adopt-access-key-id: {id} (the old key goes when nothing holds it)"),
        _ => "adopt-access-key-id with the key that they hold (it goes when nothing holds it)".to_owned(),
    };
    format!(
        "If a key of this request shall take their place, give {adopt}, or overwrite: true (what they hold is lost, and its \
         key stays). Else correct app, key-name or the names."
    )
}

/// Whether it has the form of DigitalOcean's ids, such as `DO00EXAMPLEEXAMPLE00`.
fn is_of_spaces(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    id.starts_with("DO") && id.chars().all(plain)
}

/// A value that stands for nothing yet is nobody's.
fn filled(value: &str) -> Option<&str> {
    (!value.trim().is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures::World;

    fn told(world: &World) -> Vec<String> {
        let plan = world.whole_plan();
        plan.strangers()
            .map(|stranger| stranger.problem.what.clone())
            .collect()
    }

    #[test]
    fn secrets_are_ours_from_a_lease_before_the_stamp_on() {
        let delivered = |written| {
            World::at(100_000)
                .key("DO1", 50_000, "1-aaaa", "active-wky")
                .secrets_written(written)
        };
        let stamp = i64::from_str_radix("wky", 36).expect("a stamp");
        let lease = i64::try_from(LEASE.as_secs()).expect("seconds");
        assert!(told(&delivered(stamp - lease)).is_empty());
        assert!(told(&delivered(99_000)).is_empty(), "a hand came later");
        assert_eq!(told(&delivered(stamp - lease - 1)).len(), 1);
    }

    #[test]
    fn a_delivery_that_was_broken_off_is_ours_though_clocks_differ() {
        let broken_off = |written| {
            World::at(100_000)
                .key("DO1", 50_000, "1-aaaa", "delivering")
                .secrets_written(written)
        };
        assert!(told(&broken_off(50_000 - 3_600)).is_empty());
        assert_eq!(told(&broken_off(50_000 - 3_601)).len(), 1);
    }

    #[test]
    fn the_id_variable_tells_before_any_time() {
        let world = || World::at(100_000).secrets_written(10);
        assert!(told(&world().id_variable("DO9")).is_empty(), "that key is gone");
        let of_another = world().key("DO8", 20, "1-aaaa", "active-1").with(|observed, _| {
            observed.keys.as_mut().expect("readable")[0].name = "crm-key--1-aaaa--active-1".to_owned();
        });
        let told = told(&of_another.id_variable("DO8"));
        assert!(
            told[0].contains("names DO8, the key of family crm-key"),
            "{told:?}"
        );
    }

    #[test]
    fn what_may_be_overwritten_is_nobodys() {
        let world = World::at(100_000).secrets_written(10);
        assert_eq!(told(&world).len(), 1);
        assert!(told(&world.overwriting()).is_empty());
    }

    #[test]
    fn a_live_rival_is_waited_for_before_anybody_asks() {
        let world = World::at(1_000).secrets_written(990);
        assert!(told(&world.key("DO2", 980, "2-bbbb", "delivering")).is_empty());
    }
}
