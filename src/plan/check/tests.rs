//! `check` and the planner agree in every world.

use std::collections::BTreeSet;

use super::placeholders;
use crate::model::evidence::{Evidence, Placeholder};
use crate::model::finding::{
    APP_ENV_DIFFERS, APP_ENV_EXPOSED, APP_ENV_SHADOWED, APP_PINNED, Finding, GRANTS_DIFFER, KEY_INTERRUPTED,
    KEY_MISSING, NOT_DEPLOYED, NOT_OURS, ROTATION_UNDER_WAY, Rule, SECRET_MISSING, SECRET_STALE,
    SECRET_TOUCHED, UNKNOWN, VARIABLE_DIFFERS,
};
use crate::plan::any_world::{Dice, any_troubled_world};
use crate::plan::fixtures::World;
use crate::plan::{Decision, Retirement};

const WORLDS: u64 = 5_000;

/// What says that a sink may not hold the current key.
static DRIFT: [&Rule; 10] = [
    &KEY_MISSING,
    &KEY_INTERRUPTED,
    &GRANTS_DIFFER,
    &SECRET_MISSING,
    &SECRET_TOUCHED,
    &SECRET_STALE,
    &VARIABLE_DIFFERS,
    &APP_ENV_DIFFERS,
    &APP_ENV_EXPOSED,
    &NOT_OURS,
];

/// What else must be mended, or come to its end, before an old key goes.
static UNSETTLED: [&Rule; 3] = [&ROTATION_UNDER_WAY, &APP_PINNED, &NOT_DEPLOYED];

fn any(findings: &[Finding], rules: &[&Rule]) -> bool {
    findings.iter().any(|finding| rules.contains(&finding.rule))
}

#[test]
fn what_check_finds_is_what_the_planner_mends_and_what_holds_the_gate() {
    let (mut seen, mut released) = (BTreeSet::new(), 0);
    for seed in 0..WORLDS {
        let world = any_troubled_world(&mut Dice(seed));
        let (plan, findings) = world.checked();
        let plan = &plan.families[0];
        let (drifts, unknown) = (any(&findings, &DRIFT), any(&findings, &[&UNKNOWN]));
        let judgement = &plan.judgement;
        let doubted = !judgement.drift.is_empty() || !judgement.strangers.is_empty();
        assert_eq!(drifts, doubted, "{seed}: {findings:#?}");
        assert_eq!(
            unknown,
            !plan.judgement.unread.is_empty(),
            "{seed}: {findings:#?}"
        );
        let kept = matches!(plan.decision, Decision::Keep { .. });
        assert!(!(kept && (drifts || unknown)), "{seed}: {findings:#?}");
        let free = plan.retiring.iter().filter(|old| old.is_free()).count();
        let open = !drifts && !unknown && !any(&findings, &UNSETTLED);
        assert!(free == 0 || open, "{seed}: {:#?}", plan.retiring);
        released += free;
        seen.extend(findings.iter().map(|finding| finding.rule));
    }
    assert!(
        released > 5,
        "only {released} keys are released in all these worlds"
    );
    let others: [&Rule; 2] = [&UNKNOWN, &APP_ENV_SHADOWED];
    let all = DRIFT.iter().chain(&UNSETTLED).chain(&others);
    let never: Vec<_> = all.filter(|rule| !seen.contains(**rule)).collect();
    assert!(never.is_empty(), "found in none of these worlds: {never:#?}");
}

/// DO1 serves; the one before it is past its grace, and nobody holds it.
fn served() -> World {
    World::at(400_000)
        .key("DO0", 50, "1-aaaa", "active-2a")
        .key("DO1", 90, "1-aaaa", "active-2s")
        .secrets_written(100)
        .id_variable("DO1")
}

#[test]
fn a_secret_of_the_former_key_is_found_mended_and_holds_the_gate() {
    let world = served().secrets_written(82).nobody_holds_it();
    let (_, findings) = world.checked();
    assert_eq!(findings[0].rule, &SECRET_STALE);
    assert_eq!(
        findings[0].what,
        "it was written at 1970-01-01T00:01:22Z, before DO1 was delivered"
    );
    assert!(matches!(world.plan().decision, Decision::Mint { .. }));
    assert_eq!(
        world.holds("DO0"),
        [
            "the current key is not in every sink: secret SPACES_ACCESS_KEY in acme/shop was written at \
             1970-01-01T00:01:22Z, before the current key was delivered"
        ]
    );
}

#[test]
fn an_app_that_serves_nothing_or_hides_a_pair_holds_the_gate() {
    let app = || served().app("DO1", "DO1", None).nobody_holds_it();
    let released = |world: &World| world.plan().retiring.iter().all(Retirement::is_free);
    assert!(released(&app()));
    let unserved = app().with(|observed, _| {
        observed
            .apps
            .values_mut()
            .flatten()
            .for_each(|state| state.active = None);
    });
    assert_eq!(unserved.holds("DO0"), ["no deployment of app shop serves"]);
    assert!(any(&unserved.checked().1, &[&NOT_DEPLOYED]));
}

#[test]
fn a_file_of_placeholders_is_told_by_the_first_of_them_and_the_number_of_the_rest() {
    let one = |line| Placeholder {
        file: "app.yaml".to_owned(),
        line,
        name: format!("V{line}"),
    };
    let evidence = |count| Evidence {
        placeholders: (1..=count).map(one).collect(),
        ..Evidence::default()
    };
    assert_eq!(placeholders(&evidence(100)).count(), 100);
    let told: Vec<Finding> = placeholders(&evidence(60_000)).collect();
    assert_eq!(told.len(), 101);
    assert!(
        told[100].what.contains("59900 more from line 101 on"),
        "{}",
        told[100].what
    );
}
