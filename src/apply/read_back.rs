//! What GitHub shows after a delivery: a write is believed when it is seen, not when it is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;

use crate::model::problem::Problem;
use crate::model::sink::{SettingName, Target};
use crate::model::time::Timestamp;
use crate::plan::delivery::Delivery;
use crate::remedy::problem;
use crate::remote::github::Written;
use crate::remote::{Failure, GitHub};

/// How far `updated_at` may lie outside of our own write: two servers of GitHub, whole seconds.
const WRITE_SLACK: Duration = Duration::from_secs(2);

/// The least by which two of GitHub's times differ.
const SECOND: Duration = Duration::from_secs(1);

/// How long GitHub's clock is waited for when it is not past the last delivery: its servers differ by a second or two.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The pause before a second look at what does not show: the server that is asked may be behind the one that was written
/// to.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What a delivery has written to GitHub.
#[derive(Default)]
pub(super) struct Writes<'a> {
    pub(super) secrets: Vec<WrittenSecret<'a>>,
    /// The values of variables, place by place.
    pub(super) variables: Vec<(&'a Target, BTreeMap<SettingName, String>)>,
}

/// A secret that was written.
pub(super) struct WrittenSecret<'a> {
    pub(super) target: &'a Target,
    pub(super) name: &'a SettingName,
    pub(super) written: Written,
}

/// What GitHub shows after the writes.
pub(super) struct Found {
    secrets: Vec<FoundSecret>,
    /// The variables that have another value than they were given.
    variables: Vec<(Target, SettingName)>,
}

/// What GitHub shows of a secret.
struct FoundSecret {
    target: Target,
    name: SettingName,
    /// When it was written; nothing where there is none.
    at: Option<Timestamp>,
    /// Whether that is when it was written before, too, and not also when we wrote.
    unmoved: bool,
    /// By how many seconds it was written after our own write; negative: before it.
    off: Option<i64>,
}

impl Writes<'_> {
    /// Looks whether all of it stands, twice where something does not. `last_seen` tells when a secret was written before.
    pub(super) async fn read_back(
        &self,
        github: &GitHub,
        last_seen: impl Fn((&Target, &SettingName)) -> Option<Timestamp>,
    ) -> Result<Found, Problem> {
        let found = self.look(github, &last_seen).await?;
        if found.unstored().is_empty() {
            return Ok(found);
        }
        // Once begun, a delivery goes on after a signal.
        tokio::time::sleep(LOOK_AGAIN).await;
        self.look(github, &last_seen).await
    }

    async fn look(
        &self,
        github: &GitHub,
        last_seen: &impl Fn((&Target, &SettingName)) -> Option<Timestamp>,
    ) -> Result<Found, Problem> {
        let secrets = self.secrets.iter().map(|secret| async move {
            let at = github.secret(secret.target, secret.name).await?;
            Ok(secret.found(at, last_seen((secret.target, secret.name))))
        });
        let variables = self.variables.iter().map(|(target, values)| async move {
            let names: BTreeSet<SettingName> = values.keys().cloned().collect();
            let found = if names.is_empty() {
                BTreeMap::new()
            } else {
                github.variables(target, &names).await?
            };
            let differing = values
                .iter()
                .filter(|(name, value)| found.get(*name) != Some(*value));
            let differing = differing.map(|(name, _)| ((*target).clone(), name.clone()));
            Ok(differing.collect::<Vec<_>>())
        });
        let (secrets, variables) = tokio::join!(join_all(secrets), join_all(variables));
        let secrets: Result<Vec<_>, Failure> = secrets.into_iter().collect();
        let variables: Result<Vec<Vec<_>>, Failure> = variables.into_iter().collect();
        Ok(Found {
            secrets: secrets.map_err(|failure| problem(&failure))?,
            variables: variables.map_err(|failure| problem(&failure))?.concat(),
        })
    }
}

impl WrittenSecret<'_> {
    fn found(&self, at: Option<Timestamp>, last_seen: Option<Timestamp>) -> FoundSecret {
        let off = at.zip(self.written.date);
        let off = off.map(|(at, date)| outside_by(at, date, self.written.took));
        let in_time = off.is_some_and(|off| off.unsigned_abs() <= WRITE_SLACK.as_secs());
        FoundSecret {
            target: self.target.clone(),
            name: self.name.clone(),
            at,
            unmoved: at.is_some() && at == last_seen && !in_time,
            off,
        }
    }
}

/// By how many seconds `at` lies after the write that was answered at `date`, or, negative, before that it was sent.
fn outside_by(at: Timestamp, date: Timestamp, took: Duration) -> i64 {
    let ahead = at.unix().saturating_sub(date.unix()).max(0);
    // The date is cut to its second.
    let since = took.saturating_add(SECOND);
    let behind = date.since(at.after(since)).as_secs();
    ahead.saturating_sub_unsigned(behind)
}

impl Found {
    /// The latest time at which one of the secrets was written.
    pub(super) fn last_time(&self) -> Option<Timestamp> {
        self.secrets.iter().filter_map(|secret| secret.at).max()
    }

    /// When this secret was written.
    pub(super) fn time_of(&self, target: &Target, name: &SettingName) -> Option<Timestamp> {
        let mut secrets = self.secrets.iter();
        secrets
            .find(|secret| secret.target == *target && secret.name == *name)?
            .at
    }

    /// What does not hold what was written to it, each with its place.
    pub(super) fn unstored(&self) -> Vec<String> {
        let secrets = self.secrets.iter().filter(|secret| !secret.is_stored());
        let secrets = secrets.map(|FoundSecret { target, name, .. }| format!("secret {name} of {target}"));
        let variables = self.variables.iter();
        let variables = variables.map(|(target, name)| format!("variable {name} of {target}"));
        secrets.chain(variables).collect()
    }

    /// Whether something does not stand as it was written; `before` is what the pass before this one has found.
    pub(super) fn is_disturbed(&self, before: Option<&Self>) -> bool {
        let unmoved = self
            .secrets
            .iter()
            .any(|secret| secret.at.is_none() || secret.unmoved);
        let off = self.offs().any(|off| off.unsigned_abs() > WRITE_SLACK.as_secs());
        unmoved || !self.variables.is_empty() || (off && !self.is_a_clock_gap(before))
    }

    /// How long to wait before the secrets are written again, because one of them would be taken for a former key's by
    /// the very next run; nothing when none would. `dated` makes a delivery of the times.
    pub(super) fn pause_before_rewriting(
        &self,
        dated: impl FnOnce(&[Timestamp]) -> Option<Delivery>,
    ) -> Option<Duration> {
        let times: Vec<Timestamp> = self.secrets.iter().filter_map(|secret| secret.at).collect();
        let delivery = dated(&times)?;
        let early = times.iter().filter(|at| delivery.began_after(**at));
        let behind = |at: &Timestamp| delivery.before.map(|before| before.after(SECOND).since(*at));
        let wait = early.map(|at| behind(at).unwrap_or_default()).max()?;
        Some(wait.min(LONGEST_WAIT))
    }

    /// Whether all secrets are off by the same time, now as `before`: then two clocks differ, and nobody has written.
    fn is_a_clock_gap(&self, before: Option<&Self>) -> bool {
        let Some(before) = before else { return false };
        let all = || self.offs().chain(before.offs());
        let spread = all().max().zip(all().min());
        let spread = spread.map(|(most, least)| most.abs_diff(least));
        spread.is_some_and(|spread| spread <= WRITE_SLACK.as_secs())
    }

    fn offs(&self) -> impl Iterator<Item = i64> {
        self.secrets.iter().filter_map(|secret| secret.off)
    }
}

impl FoundSecret {
    /// Whether its time may be that of our own write.
    fn is_stored(&self) -> bool {
        let older = self
            .off
            .is_some_and(|off| off < -WRITE_SLACK.as_secs().cast_signed());
        self.at.is_some() && !self.unmoved && !older
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn found(off: [i64; 2]) -> Found {
        let secret = |(name, off): (&str, i64)| FoundSecret {
            target: Target {
                repository: "acme/shop".parse().expect("a repository"),
                environment: None,
            },
            name: name.parse().expect("a name"),
            at: Some(at(1_000 + off)),
            unmoved: false,
            off: Some(off),
        };
        Found {
            secrets: [("A", off[0]), ("B", off[1])].map(secret).into(),
            variables: Vec::new(),
        }
    }

    #[test]
    fn clocks_differ_by_the_same_time_for_every_secret_and_every_time() {
        for gap in [90, -90] {
            assert!(!found([gap, gap + 1]).is_disturbed(Some(&found([gap, gap]))));
            let once = found([gap, gap + 1]);
            assert!(once.is_disturbed(None), "seen once, it may be anything");
        }
        let two_late_writes_of_somebody_else = found([5, 0]);
        assert!(two_late_writes_of_somebody_else.is_disturbed(Some(&found([0, 7]))));
        assert!(found([90, 90]).is_disturbed(Some(&found([30, 30]))));
    }

    #[test]
    fn what_is_missing_or_has_not_moved_is_no_matter_of_clocks() {
        let mut missing = found([90, 90]);
        missing.secrets[0].at = None;
        let mut unmoved = found([-90, -90]);
        unmoved.secrets[1].unmoved = true;
        for found in [missing, unmoved] {
            assert!(found.is_disturbed(Some(&found)));
            assert!(!found.unstored().is_empty());
        }
    }

    #[test]
    fn a_write_lies_between_its_request_and_its_answer() {
        let took = Duration::from_millis(4_200);
        for within in [995, 998, 1_000] {
            assert_eq!(outside_by(at(within), at(1_000), took), 0, "{within}");
        }
        assert_eq!(outside_by(at(993), at(1_000), took), -2);
        assert_eq!(outside_by(at(1_003), at(1_000), took), 3);
        assert_eq!(outside_by(at(i64::MIN), at(i64::MAX), took), i64::MIN + 1);
    }
}
