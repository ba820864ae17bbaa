//! What was found is told wherever somebody looks for it: in the log, the summary, the outputs, and the files that were
//! asked for.

use std::collections::BTreeSet;

use serde_json::Value;
use spacekeeper::model::finding::RULES;
use spacekeeper_sandbox::digitalocean::{Grant, Key};

use crate::fixture::{Outcome, Run, Sandbox, World, world};

/// An account with a key for each of these, none of which a Spacekeeper has made.
fn account(keys: &[&str]) -> Sandbox {
    let sandbox = Sandbox::start(world());
    for (number, name) in keys.iter().enumerate() {
        let mut world = sandbox.world();
        let now = world.clock.now();
        world.digitalocean.keys.push(Key {
            access_key: format!("DO00STRANGER{number:08}"),
            ..Key::generate(name, vec![Grant::full_access()], now)
        });
    }
    sandbox
}

/// Finds a full-access key (SK060, a warning) for each key of the account.
fn audit(sandbox: &Sandbox) -> Run<'_> {
    Run::bare(sandbox)
        .input("command", "audit")
        .input("digitalocean-token", World::DIGITALOCEAN_TOKEN)
        .env(
            "GITHUB_WORKFLOW_REF",
            "acme/shop/.github/workflows/audit.yml@refs/heads/main",
        )
}

fn sarif(outcome: &Outcome) -> Value {
    serde_json::from_str(outcome.left("out/findings.sarif")).expect("JSON")
}

#[test]
fn code_scanning_gets_the_findings_at_the_workflow_that_asks_for_them() {
    let sandbox = account(&["terraform"]);
    let outcome = audit(&sandbox)
        .input("sarif-file", "out/findings.sarif")
        .go()
        .exits(3);
    let results = &sarif(&outcome)["runs"][0]["results"];
    assert_eq!(results[0]["ruleId"], "SK060");
    assert_eq!(results.as_array().map(Vec::len), Some(1), "{results:#}");
    let place = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(place, ".github/workflows/audit.yml");
}

#[test]
fn code_scanning_learns_that_nothing_is_wrong_any_more() {
    let sandbox = account(&[]);
    let outcome = audit(&sandbox)
        .input("sarif-file", "out/findings.sarif")
        .go()
        .green();
    assert_eq!(
        sarif(&outcome)["runs"][0]["results"].as_array().map(Vec::len),
        Some(0)
    );
}

#[test]
fn an_inventory_is_written_as_its_name_asks() {
    let sandbox = account(&["=1+1|x"]);
    let outcome = audit(&sandbox)
        .input("inventory-file", "out/all.csv")
        .go()
        .exits(3);
    assert!(
        outcome
            .left("out/all.csv")
            .contains("\nkey,'=1+1|x,DO00STRANGER00000000,")
    );
    let outcome = audit(&sandbox)
        .input("inventory-file", "out/all.json")
        .go()
        .exits(3);
    let inventory: Value = serde_json::from_str(outcome.left("out/all.json")).expect("JSON");
    assert_eq!(inventory["keys"][0]["name"], "=1+1|x");
}

#[test]
fn an_inventory_file_without_an_inventory_is_no_silent_wish() {
    let sandbox = account(&[]);
    let outcome = Run::bootstrap(&sandbox)
        .input("inventory-file", "all.csv")
        .go()
        .green();
    let warnings = outcome.warnings();
    assert!(
        warnings.iter().any(|warning| warning.contains("inventory-file")),
        "{warnings:?}"
    );
}

#[test]
fn ten_annotations_of_a_level_are_shown_and_the_last_counts_the_rest() {
    let names: Vec<String> = (0..25).map(|number| format!("key-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let outcome = audit(&account(&names)).go().exits(3);
    let shown = outcome.warnings();
    assert_eq!(shown.len(), 10, "{shown:#?}");
    assert!(shown[0].starts_with("SK060 full-access-standing: "), "{shown:#?}");
    assert!(shown[9].contains("16 more"), "{shown:#?}");
    assert_eq!(outcome.summary.matches("full-access-standing |").count(), 25);
    assert_eq!(outcome.json_output("findings").as_array().map(Vec::len), Some(25));
}

#[test]
fn a_failure_is_worse_than_a_finding() {
    let sandbox = account(&["terraform"]);
    let outcome = audit(&sandbox).env("GITHUB_OUTPUT", "a-folder/output").go().red();
    outcome.complains(&["a-folder/output", "cannot be written"]);
}

/// What a finding's summary row and its rule in SARIF say of where it is explained.
fn explained(run: Run<'_>) -> (String, Option<String>) {
    let outcome = run.input("sarif-file", "out.sarif").go().exits(3);
    let sarif: Value = serde_json::from_str(&outcome.workspace["out.sarif"]).expect("JSON");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .expect("rules");
    let rule = rules.iter().find(|rule| rule["id"] == "SK060").expect("the rule");
    let row = outcome
        .summary
        .lines()
        .find(|line| line.contains("SK060"))
        .expect("a row");
    let cell = row.split(" | ").nth(1).expect("a cell").to_owned();
    (cell, rule["helpUri"].as_str().map(str::to_owned))
}

#[test]
fn a_finding_is_explained_at_the_version_that_the_step_uses() {
    let sandbox = account(&["terraform"]);
    let step = audit(&sandbox)
        .env("GITHUB_SERVER_URL", "https://ghe.example")
        .env("GITHUB_ACTION_REPOSITORY", "acme/spacekeeper")
        .env("GITHUB_ACTION_REF", "v1");
    let page = "https://ghe.example/acme/spacekeeper/blob/v1/docs/FINDINGS.md#sk060";
    let (cell, link) = explained(step);
    assert_eq!(cell, format!("[SK060]({page}) full-access-standing"));
    assert_eq!(link.as_deref(), Some(page));
    assert_eq!(
        explained(audit(&sandbox)),
        ("SK060 full-access-standing".to_owned(), None)
    );
}

#[test]
fn a_person_at_a_terminal_reads_the_inventory_as_a_table() {
    let sandbox = account(&["terraform", "::error::x"]);
    let outcome = audit(&sandbox).without_env("GITHUB_ACTIONS").go().exits(3);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let at = lines.iter().position(|line| *line == "Keys of the account (2)");
    let table = &lines[at.expect("a table") + 1..][..3];
    assert!(table[0].starts_with("Name        Access key id"), "{table:#?}");
    let hostile = table.iter().find(|line| line.contains("error")).expect("a row");
    assert!(hostile.starts_with(": :error::x"), "{hostile}");
}

#[test]
fn every_rule_has_a_world_in_which_it_alone_is_broken() {
    let tried: BTreeSet<&str> = crate::check::tried().chain(crate::audit::tried()).collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(tried, rules);
}
