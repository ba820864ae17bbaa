//! The drift of a family, as findings: the verdict is the planner's, told here in more detail.

use super::apps;
use crate::model::desired::WantedFamily;
use crate::model::finding::{
    Finding, GRANTS_DIFFER, KEY_INTERRUPTED, KEY_MISSING, NOT_DEPLOYED, SECRET_MISSING, SECRET_STALE,
    SECRET_TOUCHED, VARIABLE_DIFFERS,
};
use crate::model::observed::Observed;
use crate::model::sink::{SettingName, Target};
use crate::plan::generations::Generation;
use crate::plan::ownership::SinkPlace;
use crate::plan::{Judgement, Reason};

/// A finding for every reason to doubt that all sinks hold the current key.
pub(super) fn findings(wanted: &WantedFamily, judgement: &Judgement, observed: &Observed) -> Vec<Finding> {
    let teller = Teller {
        wanted,
        current: judgement.current(),
        observed,
        interrupted: judgement
            .drift
            .iter()
            .any(|reason| matches!(reason, Reason::Interrupted(_))),
    };
    let of_ours = judgement
        .drift
        .iter()
        .filter(|reason| !is_of_a_stranger(reason, judgement));
    of_ours.filter_map(|reason| teller.finding(reason)).collect()
}

/// Whether the sink that drifted is not ours: that is told instead.
fn is_of_a_stranger(reason: &Reason, judgement: &Judgement) -> bool {
    let mut strangers = judgement.strangers.iter();
    strangers.any(|stranger| match (&stranger.sink, reason) {
        (
            SinkPlace::GitHub(target),
            Reason::SecretMissing(found, _)
            | Reason::SecretTouched(found, ..)
            | Reason::SecretStale(found, ..)
            | Reason::VariableDiffers(found, _),
        ) => target == found,
        (SinkPlace::App(app, place), Reason::SpecDiffers(found, at)) => app.0 == *found && place == at,
        _ => false,
    })
}

/// What is known beside a reason.
struct Teller<'a> {
    wanted: &'a WantedFamily,
    current: Option<&'a Generation>,
    observed: &'a Observed,
    /// Whether a run died while it delivered.
    interrupted: bool,
}

impl Teller<'_> {
    fn finding(&self, reason: &Reason) -> Option<Finding> {
        let family = format!("key {}", self.wanted.family);
        let secret = |target: &Target, name: &SettingName| format!("secret {name} in {target}");
        let found = match reason {
            // That a run died says why there is none.
            Reason::NoKey if self.interrupted => return None,
            Reason::NoKey => Finding::new(&KEY_MISSING, family, reason.to_string()),
            Reason::Interrupted(_) => Finding::new(&KEY_INTERRUPTED, family, reason.to_string()),
            Reason::GrantsDiffer => Finding::new(&GRANTS_DIFFER, family, reason.to_string()),
            Reason::SecretMissing(target, name) => {
                Finding::new(&SECRET_MISSING, secret(target, name), "it does not exist")
            }
            Reason::SecretTouched(target, name, at) => {
                let what = format!(
                    "someone else has written it at {at}, after {} was delivered",
                    self.id()
                );
                Finding::new(&SECRET_TOUCHED, secret(target, name), what)
            }
            Reason::SecretStale(target, name, at) => {
                let what = format!("it was written at {at}, before {} was delivered", self.id());
                Finding::new(&SECRET_STALE, secret(target, name), what)
            }
            Reason::VariableDiffers(target, name) => {
                let subject = format!("variable {name} in {target}");
                Finding::new(&VARIABLE_DIFFERS, subject, self.named_by(target, name))
            }
            Reason::SpecDiffers(app, place) => {
                apps::of_place(self.wanted, app, place, self.current, self.observed)
            }
            Reason::Undeployed(app) => Finding::new(&NOT_DEPLOYED, format!("app {app}"), reason.to_string()),
            // What a command is after is no drift; `check` is after nothing.
            Reason::Due(_) | Reason::Forced | Reason::Compromised(_) => return None,
        };
        Some(found)
    }

    fn id(&self) -> String {
        let id = self.current.map(|current| current.key.id.to_string());
        id.unwrap_or_else(|| "the key".to_owned())
    }

    fn named_by(&self, target: &Target, name: &SettingName) -> String {
        let state = self.observed.targets.get(target);
        let found = state.and_then(|state| state.as_ref().ok()?.variables.get(name));
        let found = found.map_or("another key", String::as_str);
        format!("it names {found}, and the current key is {}", self.id())
    }
}
