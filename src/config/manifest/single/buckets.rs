//! The inputs about buckets.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::super::inputs::RawInputs;
use super::super::super::values;
use super::super::flaw::At;
use super::super::lists::Named;
use super::super::read::{Field, Must, Reader, Spot, Word, shortened, word};
use super::super::settings::{CdnChoice, CdnShape, CorsShape};
use super::super::shape::{BucketShape, LoggingShape, LoggingTarget};
use super::super::tree;
use super::super::words::Days;
use super::{Line, advised, list, refuse_unheeded, value};
use crate::model::bucket::BucketName;
use crate::model::key::Permission;
use crate::model::limits::BUCKETS_MAX;

const BUCKETS: At = At::Input("buckets");

/// The lines of `buckets`, as many as an account holds.
pub(super) fn lines(raw: &RawInputs, reader: &mut Reader) -> Vec<Line> {
    let written: Vec<&str> = raw
        .buckets
        .as_deref()
        .into_iter()
        .flat_map(values::lines)
        .collect();
    match written.len() {
        0 => reader.refuse(BUCKETS, "it is missing; name at least one bucket, one per line"),
        1..=BUCKETS_MAX => {}
        many => {
            let what = format!("it names {many} buckets, and an account holds at most {BUCKETS_MAX}");
            reader.refuse(BUCKETS, what);
        }
    }
    let written = written.into_iter().take(BUCKETS_MAX);
    let mut lines: Vec<Line> = written
        .filter_map(|text| advised(reader, text, |reader| line(text, reader)))
        .collect();
    let mut seen = BTreeSet::new();
    lines.retain(|(name, _)| {
        let first = seen.insert(name.value.clone());
        if !first {
            reader.refuse(BUCKETS, format!("`{}` stands there twice", name.value));
        }
        first
    });
    lines
}

/// `NAME`, `NAME=read` or `NAME=readwrite`.
fn line(text: &str, reader: &mut Reader) -> Option<Line> {
    let (name, permission) = text.split_once('=').unwrap_or((text, "readwrite"));
    let permission = permission.trim();
    let Ok(may) = Permission::parse(permission) else {
        let what = format!(
            "`{}` is not accepted: `{}` is no permission; write NAME, NAME=read or NAME=readwrite",
            shortened(text),
            shortened(permission)
        );
        reader.refuse(BUCKETS, what);
        return None;
    };
    Some((word(BUCKETS, name.trim(), reader)?, Spot::new(may, BUCKETS)))
}

/// The buckets with their settings: one shape for all of the list, and one for their logs.
pub(super) fn shapes(
    raw: &RawInputs,
    lines: &[Line],
    reader: &mut Reader,
) -> Named<BucketName, Rc<BucketShape>> {
    let days: Option<Spot<Days>> = value("log-retention-days", raw.log_retention_days.as_deref(), reader);
    let logs = log_target(raw, lines, reader);
    let of_logs = logs.as_ref().map(|logs| {
        let shape = BucketShape {
            retention_days: days,
            ..bare(logs.bucket.at)
        };
        (logs.bucket.clone(), Rc::new(shape))
    });
    let shape = Rc::new(BucketShape {
        logging: logs.map(LoggingShape::To),
        cors: cors(raw, reader),
        cors_origins: list("cors-origins", raw.cors_origins.as_deref(), reader),
        cdn: cdn(raw, reader),
        ..bare(BUCKETS)
    });
    let listed = lines.iter().map(|(name, _)| (name.clone(), Rc::clone(&shape)));
    listed.chain(of_logs).collect()
}

const fn bare(at: At) -> BucketShape {
    BucketShape {
        at,
        region: None,
        logging: None,
        retention_days: None,
        lifecycle: None,
        cors: None,
        cors_origins: None,
        versioning: None,
        acl: None,
        cdn: None,
    }
}

fn log_target(raw: &RawInputs, lines: &[Line], reader: &mut Reader) -> Option<LoggingTarget> {
    let prefix = value("log-prefix", raw.log_prefix.as_deref(), reader);
    let bucket: Option<Spot<BucketName>> = value("log-bucket", raw.log_bucket.as_deref(), reader);
    if raw.log_bucket.is_none() {
        let given = [
            ("log-prefix", raw.log_prefix.is_some()),
            ("log-retention-days", raw.log_retention_days.is_some()),
        ];
        let why = "it says something about access logs, but log-bucket is not set";
        refuse_unheeded(&given, why, reader);
    }
    let bucket = bucket?;
    if lines.iter().any(|(name, _)| name.value == bucket.value) {
        let what = format!(
            "`{}` is also one of the buckets; logs must go to another bucket",
            bucket.value
        );
        reader.refuse(bucket.at, what);
        return None;
    }
    Some(LoggingTarget {
        at: bucket.at,
        bucket,
        prefix,
    })
}

/// A word, or rules as YAML or JSON.
fn cors(raw: &RawInputs, reader: &mut Reader) -> Option<Must<CorsShape>> {
    let text = raw.cors.as_deref()?.trim();
    let node = tree::compose_input("cors", text, reader);
    let shape = node.and_then(|node| reader.within("cors", |reader| CorsShape::read(&node, reader)));
    Some(Must(shape))
}

fn cdn(raw: &RawInputs, reader: &mut Reader) -> Option<CdnChoice> {
    let wanted: Option<Spot<bool>> = value("cdn", raw.cdn.as_deref(), reader);
    let domain = raw.cdn_domain.as_deref();
    let certificate = raw.cdn_certificate_id.as_deref();
    let shape = CdnShape {
        at: At::Input("cdn"),
        ttl: value("cdn-ttl", raw.cdn_ttl.as_deref(), reader),
        domain: domain.map(|text| Must(value("cdn-domain", Some(text), reader))),
        certificate_id: certificate.map(|text| Must(value("cdn-certificate-id", Some(text), reader))),
        purge: value("cdn-purge", raw.cdn_purge.as_deref(), reader),
    };
    match wanted {
        Some(Spot { value: true, .. }) => Some(CdnChoice::With(Box::new(shape))),
        // A `cdn` that is wrong is told already.
        None if raw.cdn.is_some() => None,
        Some(Spot { value: false, .. }) | None => {
            let given = [
                ("cdn-ttl", raw.cdn_ttl.is_some()),
                ("cdn-domain", domain.is_some()),
                ("cdn-certificate-id", certificate.is_some()),
                ("cdn-purge", shape.purge.is_some_and(|purge| purge.value)),
            ];
            let why = "it says something about the CDN, but cdn is not true";
            refuse_unheeded(&given, why, reader);
            None
        }
    }
}
