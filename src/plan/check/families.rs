//! What is wrong with a key family itself: no key, a doubtful one, an old one, leftovers.

use std::time::Duration;

use super::drift;
use crate::model::desired::WantedFamily;
use crate::model::finding::{
    Finding, KEY_DUE, KEY_LATE, KEY_OVERDUE, KEY_UNFINISHED, KEYS_LEFT_OVER, KEYS_PILE_UP, ROTATION_UNDER_WAY,
};
use crate::model::observed::Observed;
use crate::plan::gate::{Retirement, Standing};
use crate::plan::generations::Generation;
use crate::plan::judgement::{Age, Judgement, Stage};
use crate::plan::pile::{OldKey, Pile};
use crate::plan::rotation::FamilyPlan;

/// What is wrong with one family.
pub(super) fn findings(wanted: &WantedFamily, plan: &FamilyPlan, observed: &Observed) -> Vec<Finding> {
    let judgement = &plan.judgement;
    let subject = format!("key {}", wanted.family);
    let mut all: Vec<Finding> = judgement.unread.iter().map(Finding::unknown).collect();
    all.extend(drift::findings(wanted, judgement, observed));
    let rival = judgement.generations.rivals.first();
    all.extend(rival.map(|rival| under_way(rival, &subject)));
    all.extend(plan.orphans().iter().map(unfinished));
    all.extend(of_age(wanted, judgement, &subject));
    all.extend(left_over(wanted, plan, &subject));
    all
}

fn under_way(rival: &Generation, subject: &str) -> Finding {
    let what = format!(
        "{} is minting or delivering {}",
        rival.name.run.spoken(),
        rival.key.id
    );
    Finding::new(&ROTATION_UNDER_WAY, subject, what)
}

fn unfinished(orphan: &Generation) -> Finding {
    let what = format!(
        "a dead run has left {}, which no sink has ever seen",
        orphan.key.id
    );
    Finding::new(&KEY_UNFINISHED, format!("key {}", orphan.key.name), what)
}

/// A key of any stage but the first should be replaced, the more urgently the later it is.
fn of_age(wanted: &WantedFamily, judgement: &Judgement, subject: &str) -> Option<Finding> {
    let (current, Age { stage, due }) = judgement.current().zip(judgement.age)?;
    let rule = match stage {
        Stage::Young => return None,
        Stage::Due => &KEY_DUE,
        Stage::Late => &KEY_LATE,
        Stage::Overdue => &KEY_OVERDUE,
    };
    let what = format!(
        "{} is due since {due}; max-age is {} days, grace-period {} days",
        current.key.id,
        days(wanted.lifetime.max_age()),
        days(wanted.lifetime.grace())
    );
    Some(Finding::new(rule, subject, what))
}

fn days(span: Duration) -> String {
    let days = span.as_secs_f64() / 86_400.0;
    format!("{days:.1}").trim_end_matches(".0").to_owned()
}

/// One older key is what every rotation leaves for its grace period.
fn left_over(wanted: &WantedFamily, plan: &FamilyPlan, subject: &str) -> Option<Finding> {
    let older = plan
        .retiring
        .iter()
        .filter(|old| old.standing != Standing::Serving);
    let older: Vec<&Retirement> = older.collect();
    let keys = older.iter().map(|old| OldKey {
        because: old.reasons(),
        ..OldKey::unexplained(&old.key)
    });
    let pile = Pile {
        keys: keys.collect(),
        drift: &plan.judgement.drift,
        max_age: Some(wanted.lifetime.max_age()),
    };
    if let Some(told) = pile.told() {
        return Some(Finding::new(&KEYS_PILE_UP, subject, told));
    }
    (older.len() > 1).then(|| {
        let ids: Vec<&str> = older.iter().map(|old| old.key.id.as_str()).collect();
        let what = format!(
            "{} keys no longer serve and still exist: {}",
            older.len(),
            ids.join(", ")
        );
        Finding::new(&KEYS_LEFT_OVER, subject, what)
    })
}
