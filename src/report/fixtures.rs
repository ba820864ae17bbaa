//! Reports for the tests of what is made of them.

use std::time::Duration;

use super::inventory::fixtures::inventory;
use super::*;
use crate::model::finding::{
    APP_PINNED, BUCKET_UNDECLARED, CORS_REFUSED, FULL_ACCESS_STANDING, KEY_STALE, LOGGING_OFF, PROOF_REVOKED,
    PROOF_TORN, Rule, SECRET_MISSING, VARIABLE_DIFFERS, rank,
};

pub(super) const HOSTILE: &str = "DigitalOcean answered `<b>no</b>`\n::error::x ##[group]y | @all [z](u)";

/// A first bootstrap that met one problem, with hostile text in it.
pub(crate) fn report() -> Report {
    Report {
        command: "bootstrap",
        dry_run: false,
        region: "nyc3".parse().expect("a region"),
        endpoint: Some("https://nyc3.digitaloceanspaces.com".to_owned()),
        cdn_endpoint: None,
        buckets: vec![BucketReport {
            name: "shop-uploads".parse().expect("a name"),
            region: "nyc3".parse().expect("a region"),
            endpoint: "https://nyc3.digitaloceanspaces.com".to_owned(),
            state: BucketOutcome::Created,
            stands: true,
        }],
        keys: vec![key("shop-spaces-key")],
        older: vec![older("shop-spaces-key")],
        changes: vec![
            Change::new("bucket shop-uploads", "created"),
            Change::new(
                "key shop-spaces-key",
                "minted DO00EXAMPLE: there is no delivered key yet",
            ),
        ],
        kept: vec![Change::new("bucket shop-logs", "exists")],
        problems: vec![Problem::new("app sh|op", HOSTILE, "Look at the app's log.")],
        findings: vec![],
        inventory: None,
        fail_on: Some(Severity::Warning),
        notes: vec![],
        now: Some(Timestamp::from_unix(1_795_000_100)),
        home: Home::new(
            "https://github.com",
            &"acme/spacekeeper".parse().expect("a repository"),
            "v1",
        ),
        report_file: None,
    }
}

pub(super) fn key(family: &str) -> KeyReport {
    KeyReport {
        family: family.to_owned(),
        access_key_id: Some("DO00EXAMPLE".to_owned()),
        created_at: Some(Timestamp::from_unix(1_795_000_000)),
        active_since: Some(Timestamp::from_unix(1_795_000_030)),
        next_rotation: Some(Timestamp::from_unix(1_802_603_200)),
        max_age: Duration::from_hours(90 * 24),
        grants: vec!["shop-uploads=readwrite".to_owned()],
        rotated: true,
        state: "minted and delivered".to_owned(),
    }
}

pub(super) fn older(family: &str) -> OlderKey {
    OlderKey {
        family: family.to_owned(),
        access_key_id: "DO00OLDER".to_owned(),
        standing: "superseded".to_owned(),
        created_at: Timestamp::from_unix(1_787_400_000),
        active_since: Some(Timestamp::from_unix(1_787_400_040)),
        until: Some(Timestamp::from_unix(1_795_086_400)),
        because: vec!["its grace period lasts until 2026-11-19T12:26:40Z".to_owned()],
    }
}

/// A check that has found this, and met no problem.
pub(super) fn checked(findings: Vec<Finding>) -> Report {
    let mut key = key("shop-spaces-key");
    key.rotated = false;
    key.state = "in order".to_owned();
    key.created_at = Some(Timestamp::from_unix(1_790_500_000));
    key.active_since = Some(Timestamp::from_unix(1_790_500_040));
    key.next_rotation = Some(Timestamp::from_unix(1_798_103_200));
    Report {
        command: "check",
        keys: vec![key],
        older: vec![],
        changes: vec![],
        problems: vec![],
        findings,
        ..report()
    }
}

/// An audit with an inventory.
pub(super) fn audited() -> Report {
    let found = [
        (&FULL_ACCESS_STANDING, "key DO00HAND"),
        (&LOGGING_OFF, "bucket old-things"),
        (&BUCKET_UNDECLARED, "bucket old-things"),
    ];
    let mut findings: Vec<Finding> = found.map(|(rule, subject)| finding(rule, subject)).into();
    rank(&mut findings);
    Report {
        command: "audit",
        keys: vec![],
        buckets: vec![],
        kept: vec![],
        inventory: Some(inventory()),
        ..checked(findings)
    }
}

pub(super) fn finding(rule: &'static Rule, subject: &str) -> Finding {
    Finding::new(rule, subject, format!("what was seen of {}", rule.name))
}

/// Ten findings of every severity, ranked.
pub(super) fn findings() -> Vec<Finding> {
    let found = [
        (&APP_PINNED, "app shop"),
        (&PROOF_REVOKED, "access-key and secret-key"),
        (&PROOF_TORN, "access-key and secret-key"),
        (&SECRET_MISSING, "secrets of acme/shop"),
        (&VARIABLE_DIFFERS, "variables of acme/shop"),
        (&CORS_REFUSED, "bucket shop-uploads"),
        (&LOGGING_OFF, "bucket shop-uploads"),
        (&FULL_ACCESS_STANDING, "key DO00HAND"),
        (&KEY_STALE, "key DO00HAND"),
        (&BUCKET_UNDECLARED, "bucket old-things"),
    ];
    let mut findings: Vec<Finding> = found.map(|(rule, subject)| finding(rule, subject)).into();
    rank(&mut findings);
    findings
}
