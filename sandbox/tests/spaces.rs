//! The Spaces face over HTTP.

mod client;
#[path = "client/s3.rs"]
mod s3;

use std::time::Duration;

use client::Answer;
use s3::Caller;
use spacekeeper_sandbox::digitalocean::Key;
use spacekeeper_sandbox::spaces::{Bucket, LifecycleRule};
use spacekeeper_sandbox::{Sandbox, World};

const LOGGING: &str = "<BucketLoggingStatus xmlns=\"http://doc.s3.amazonaws.com/2006-03-01\"><LoggingEnabled>\
    <TargetBucket>TARGET</TargetBucket><TargetPrefix>logs/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>";
const CORS: &str = "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CORSRule>\
    <AllowedOrigin>https://shop.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
    <AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>";
const LIFECYCLE: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>expire</ID>\
    <Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule></LifecycleConfiguration>";

/// A world with two buckets of ours, one of a stranger, and a full-access pair.
fn world() -> World {
    World::new()
        .with_bucket("nyc3", "shop")
        .with_bucket("nyc3", "logs")
        .with_bucket("fra1", "abroad")
        .with_strangers_bucket("nyc3", "taken")
        .with_full_access_pair()
}

fn caller(sandbox: &Sandbox, key: &Key) -> Caller {
    let address = sandbox.spaces_url().replace("http://", "");
    Caller {
        host: address.clone(),
        address,
        access_key: key.access_key.clone(),
        secret_key: key.secret_key.clone(),
    }
}

fn named(sandbox: &Sandbox, name: &str) -> Caller {
    let key = sandbox
        .world()
        .digitalocean
        .key_named(name)
        .expect("the key is there")
        .clone();
    caller(sandbox, &key)
}

fn full(sandbox: &Sandbox) -> Caller {
    named(sandbox, "full-access")
}

/// Status and error code.
fn refusal(answer: &Answer) -> (u16, &str) {
    let code = answer
        .body
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    (answer.status, code.map_or("", |(code, _)| code))
}

#[test]
fn objects_come_back_as_they_were_put() {
    let sandbox = Sandbox::start(world());
    let full = full(&sandbox);
    let put = full.send_with(
        "PUT",
        "/shop/a/b.txt",
        &[("content-type", "text/plain"), ("x-amz-meta-who", "me")],
        "hello",
    );
    assert_eq!(put.status, 200, "{put:?}");
    let got = full.send("GET", "/shop/a/b.txt", "");
    assert_eq!((got.status, got.body.as_str()), (200, "hello"));
    assert_eq!(got.header("content-type"), Some("text/plain"));
    assert_eq!(got.header("x-amz-meta-who"), Some("me"));
    assert_eq!(got.header("etag"), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let head = full.send("HEAD", "/shop/a/b.txt", "");
    assert_eq!(
        (head.status, head.header("content-length"), head.body.as_str()),
        (200, Some("5"), "")
    );
    assert_eq!(
        full.send_with("GET", "/shop/a/b.txt", &[("range", "bytes=1-2")], "")
            .body,
        "el"
    );
    assert!(
        full.send("GET", "/shop?delimiter=%2F", "")
            .body
            .contains("<CommonPrefixes><Prefix>a/</Prefix>")
    );
    assert!(
        full.send("GET", "/shop?list-type=2&max-keys=1", "")
            .body
            .contains("<KeyCount>1</KeyCount>")
    );
    assert_eq!(full.send("DELETE", "/shop/a/b.txt", "").status, 204);
    assert_eq!(
        refusal(&full.send("GET", "/shop/a/b.txt", "")),
        (404, "NoSuchKey")
    );
    let wrote = sandbox.journal().into_iter().filter(|entry| entry.wrote).count();
    assert_eq!(wrote, 2);
}

#[test]
fn a_signature_must_be_of_the_time_that_spaces_shows() {
    for (ahead, refused) in [
        (0, false),
        (14 * 60, false),
        (-14 * 60, false),
        (16 * 60, true),
        (-16 * 60, true),
    ] {
        let sandbox = Sandbox::start(world());
        let key = full(&sandbox);
        sandbox.world().switches.spaces_clock_ahead = ahead;
        let answer = key.send("GET", "/", "");
        assert_eq!(answer.status == 403, refused, "{ahead}");
        if refused {
            assert_eq!(refusal(&answer), (403, "RequestTimeTooSkewed"));
            assert_eq!(
                key.send("HEAD", "/shop-uploads", "").body,
                "",
                "a HEAD has no code"
            );
        }
        sandbox.world().switches.signature_skew_allowed = None;
        assert_eq!(key.send("GET", "/", "").status, 200, "{ahead}");
    }
}

#[test]
fn a_signature_must_be_from_a_key_that_spaces_knows() {
    let sandbox = Sandbox::start(world().with_switches(|it| it.key_delete_delay = Duration::from_secs(5)));
    let mut key = full(&sandbox);
    key.secret_key.push('x');
    assert_eq!(refusal(&key.send("GET", "/", "")), (403, "SignatureDoesNotMatch"));
    key.access_key = "DO00AAAAAAAAAAAAAAAA".to_owned();
    let unknown = key.send("GET", "/", "");
    assert_eq!(refusal(&unknown), (403, "InvalidAccessKeyId"));
    assert!(
        unknown.body.contains("<Resource>/</Resource><RequestId>tx"),
        "{}",
        unknown.body
    );
    assert_eq!(
        refusal(&key.send_unsigned("GET", "/", &[])),
        (403, "AccessDenied")
    );

    let full = full(&sandbox);
    let token = World::DIGITALOCEAN_TOKEN;
    let path = format!("/v2/spaces/keys/{}", full.access_key);
    let gone = client::send(&sandbox.digitalocean_url(), token, "DELETE", &path, "").expect("an answer");
    assert_eq!(gone.status, 204);
    assert_eq!(full.send("GET", "/", "").status, 200);
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(refusal(&full.send("GET", "/", "")), (403, "InvalidAccessKeyId"));
}

#[test]
fn a_scoped_key_may_do_what_its_grants_say() {
    let world = world()
        .with_key("reader", &[("shop", "read")])
        .with_key("writer", &[("shop", "readwrite")]);
    let sandbox = Sandbox::start(world.with_object("shop", "o", "x"));
    let (reader, writer) = (named(&sandbox, "reader"), named(&sandbox, "writer"));
    for key in [&reader, &writer] {
        assert_eq!(key.send("HEAD", "/shop", "").status, 200);
        assert_eq!(key.send("GET", "/shop?max-keys=1", "").status, 200);
        assert_eq!(key.send("GET", "/shop?location", "").status, 200);
        assert_eq!(
            refusal(&key.send("GET", "/shop?logging", "")),
            (403, "AccessDenied")
        );
        assert_eq!(refusal(&key.send("GET", "/shop?cors", "")), (403, "AccessDenied"));
        assert_eq!(refusal(&key.send("GET", "/", "")), (403, "AccessDenied"));
        assert_eq!(
            refusal(&key.send("PUT", "/new-bucket", "")),
            (403, "AccessDenied")
        );
        assert_eq!(refusal(&key.send("GET", "/logs", "")), (403, "AccessDenied"));
        assert_eq!(refusal(&key.send("GET", "/nowhere", "")), (404, "NoSuchBucket"));
        let head = key.send("HEAD", "/taken", "");
        assert_eq!((head.status, head.body.as_str()), (403, ""));
    }
    assert_eq!(
        refusal(&reader.send("PUT", "/shop/o", "y")),
        (403, "AccessDenied")
    );
    assert_eq!(writer.send("PUT", "/shop/o", "y").status, 200);
    assert_eq!(
        refusal(&reader.send("DELETE", "/shop/o?uploadId=invented", "")),
        (403, "AccessDenied")
    );
    assert_eq!(
        refusal(&writer.send("DELETE", "/shop/o?uploadId=invented", "")),
        (404, "NoSuchUpload")
    );
}

#[test]
fn names_are_taken_for_many_reasons() {
    let sandbox = Sandbox::start(world().with_switches(|it| it.bucket_create_delay = Duration::from_secs(3)));
    let full = full(&sandbox);
    assert_eq!(
        refusal(&full.send("PUT", "/taken", "")),
        (409, "BucketAlreadyExists")
    );
    assert_eq!(
        refusal(&full.send("PUT", "/abroad", "")),
        (409, "BucketAlreadyExists")
    );
    assert_eq!(
        refusal(&full.send("PUT", "/Bad_Name", "")),
        (400, "InvalidBucketName")
    );
    let constraint = "<CreateBucketConfiguration><LocationConstraint>nyc3</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(
        refusal(&full.send("PUT", "/fresh", constraint)),
        (400, "InvalidLocationConstraint")
    );
    assert_eq!(full.send("PUT", "/shop", "").status, 200);
    sandbox.world().switches.recreate_own_bucket = http::StatusCode::CONFLICT;
    assert_eq!(
        refusal(&full.send("PUT", "/shop", "")),
        (409, "BucketAlreadyOwnedByYou")
    );

    assert_eq!(full.send("PUT", "/fresh", "").status, 200);
    assert_eq!(full.send("HEAD", "/fresh", "").status, 404);
    sandbox.advance(Duration::from_secs(3));
    assert_eq!(full.send("HEAD", "/fresh", "").status, 200);
    assert_eq!(full.send("DELETE", "/fresh", "").status, 204);
    assert_eq!(
        refusal(&full.send("PUT", "/fresh", "")),
        (409, "BucketAlreadyExists")
    );
    let list = full.send("GET", "/", "").body;
    assert!(
        list.contains("<Name>logs</Name>") && !list.contains("abroad") && !list.contains("taken"),
        "{list}"
    );
}

#[test]
fn the_host_may_name_region_and_bucket() {
    let sandbox = Sandbox::start(world());
    let mut full = full(&sandbox);
    full.host = "abroad.fra1.digitaloceanspaces.com".to_owned();
    assert_eq!(full.send("HEAD", "/", "").status, 200);
    assert!(
        full.send("GET", "/?location", "")
            .body
            .contains(">fra1</LocationConstraint>")
    );
    full.host = "abroad.nyc3.digitaloceanspaces.com".to_owned();
    assert_eq!(full.send("HEAD", "/", "").status, 404);
    full.host = "fra1.digitaloceanspaces.com".to_owned();
    assert_eq!(full.send("PUT", "/abroad/o", "x").status, 200);
    assert!(
        sandbox
            .world()
            .spaces
            .bucket("abroad")
            .expect("there")
            .object("o")
            .is_some()
    );
}

#[test]
fn logging_wants_a_digest_and_a_fitting_target() {
    let sandbox = Sandbox::start(world());
    let full = full(&sandbox);
    let to = |target: &str| LOGGING.replace("TARGET", target);
    let missing = full.send("PUT", "/shop?logging", &to("logs"));
    assert_eq!(refusal(&missing), (400, "InvalidRequest"));
    assert!(
        missing.body.contains("Missing required header"),
        "{}",
        missing.body
    );
    let wrong = full.send_with(
        "PUT",
        "/shop?logging",
        &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")],
        &to("logs"),
    );
    assert_eq!(refusal(&wrong), (400, "BadDigest"));
    let put = |target: &str| full.send_digested("PUT", "/shop?logging", &to(target));
    assert_eq!(refusal(&put("nowhere")), (400, "InvalidTargetBucketForLogging"));
    assert_eq!(refusal(&put("shop")), (400, "InvalidTargetBucketForLogging"));
    assert_eq!(refusal(&put("taken")), (400, "InvalidTargetBucketForLogging"));
    assert_eq!(refusal(&put("abroad")), (403, "CrossLocationLoggingProhibitted"));
    assert_eq!(put("logs").status, 200);
    let got = full.send("GET", "/shop?logging", "").body;
    assert!(
        got.contains("<TargetBucket>logs</TargetBucket><TargetPrefix>logs/</TargetPrefix>"),
        "{got}"
    );
    let off = "<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";
    assert_eq!(full.send_digested("PUT", "/shop?logging", off).status, 200);
    assert_eq!(
        sandbox.world().spaces.bucket("shop").expect("there").logging,
        None
    );
    assert!(
        !full
            .send("GET", "/shop?logging", "")
            .body
            .contains("LoggingEnabled")
    );
}

#[test]
fn cors_rules_are_kept_and_obeyed() {
    let sandbox = Sandbox::start(world());
    let full = full(&sandbox);
    assert_eq!(
        refusal(&full.send("GET", "/shop?cors", "")),
        (404, "NoSuchCORSConfiguration")
    );
    assert_eq!(full.send_digested("PUT", "/shop?cors", CORS).status, 200);
    assert_eq!(
        refusal(&full.send_digested("PUT", "/shop?cors", &CORS.replace("PUT", "PATCH"))),
        (400, "MalformedXML")
    );
    let got = full.send("GET", "/shop?cors", "").body;
    assert!(
        got.contains("<AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>"),
        "{got}"
    );

    let ask = |origin, method| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", "x-a"),
        ];
        full.send_unsigned("OPTIONS", "/shop/o", &headers)
    };
    let allowed = ask("https://shop.example", "PUT");
    assert_eq!(
        (allowed.status, allowed.header("access-control-allow-headers")),
        (200, Some("x-a"))
    );
    assert_eq!(
        refusal(&ask("https://evil.example", "PUT")),
        (403, "AccessDenied")
    );
    let listed = full.send_with("GET", "/shop", &[("origin", "https://shop.example")], "");
    assert_eq!(
        listed.header("access-control-allow-origin"),
        Some("https://shop.example")
    );
    assert_eq!(full.send("DELETE", "/shop?cors", "").status, 204);
    assert_eq!(full.send("DELETE", "/shop?cors", "").status, 204);
}

#[test]
fn lifecycle_versioning_and_acl_are_kept() {
    let sandbox = Sandbox::start(world());
    let full = full(&sandbox);
    assert_eq!(
        refusal(&full.send("GET", "/logs?lifecycle", "")),
        (404, "NoSuchLifecycleConfiguration")
    );
    assert_eq!(full.send("PUT", "/logs?lifecycle", LIFECYCLE).status, 200);
    assert_eq!(
        sandbox.world().spaces.bucket("logs").expect("there").lifecycle,
        [LifecycleRule::expiry("expire", "logs/", 30)]
    );
    let got = full.send("GET", "/logs?lifecycle", "").body;
    assert!(
        got.contains("<Days>30</Days>") && got.contains("<Filter><Prefix>logs/</Prefix></Filter>"),
        "{got}"
    );
    assert_eq!(full.send("DELETE", "/logs?lifecycle", "").status, 204);

    let on = "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(full.send("PUT", "/logs?versioning", on).status, 200);
    assert!(
        full.send("GET", "/logs?versioning", "")
            .body
            .contains("<Status>Enabled</Status>")
    );

    assert_eq!(
        refusal(&full.send("PUT", "/logs?acl", "")),
        (400, "InvalidRequest")
    );
    let empty = ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(
        full.send_with("PUT", "/logs?acl", &[empty, ("x-amz-acl", "public-read")], "")
            .status,
        200
    );
    assert!(full.send("GET", "/logs?acl", "").body.contains("AllUsers"));
    assert_eq!(full.send_unsigned("GET", "/logs", &[]).status, 200);
}

#[test]
fn a_policy_and_scoped_keys_exclude_each_other() {
    let closed = Bucket {
        policy: Some("{}".to_owned()),
        ..Bucket::new("closed", "nyc3", 0)
    };
    let world = world()
        .with_this_bucket(closed)
        .with_key("scoped", &[("shop", "read"), ("closed", "read")]);
    let sandbox = Sandbox::start(world);
    let full = full(&sandbox);
    assert_eq!(
        refusal(&full.send("PUT", "/shop?policy", "{}")),
        (403, "Forbidden")
    );
    assert_eq!(full.send("PUT", "/logs?policy", "{}").status, 204);
    assert_eq!(full.send("GET", "/logs?policy", "").body, "{}");
    assert_eq!(full.send("DELETE", "/logs?policy", "").status, 204);
    assert_eq!(
        refusal(&full.send("GET", "/logs?policy", "")),
        (404, "NoSuchBucketPolicy")
    );
    assert_eq!(
        refusal(&named(&sandbox, "scoped").send("GET", "/closed", "")),
        (403, "AccessDenied")
    );
}

#[test]
fn what_spaces_lacks_is_not_implemented() {
    let sandbox = Sandbox::start(world());
    let full = full(&sandbox);
    for target in [
        "/shop?encryption",
        "/shop?replication",
        "/shop?tagging",
        "/shop?invented",
    ] {
        assert_eq!(
            refusal(&full.send("GET", target, "")),
            (501, "NotImplemented"),
            "{target}"
        );
    }
    let refused = full.send_with("PUT", "/shop/o", &[("x-amz-checksum-crc32", "AAAAAA==")], "x");
    assert_eq!(refusal(&refused), (501, "NotImplemented"));
    assert!(
        refused
            .body
            .contains("A header you provided implies functionality that is not implemented")
    );
}

#[test]
fn parts_become_an_object() {
    let sandbox = Sandbox::start(world());
    let full = full(&sandbox);
    let created = full.send("POST", "/shop/big?uploads", "").body;
    let id = created
        .split("<UploadId>")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("an id");
    let part = full.send(
        "PUT",
        &format!("/shop/big?partNumber=1&uploadId={id}"),
        "only part",
    );
    let tag = part.header("etag").expect("a tag");
    assert!(
        full.send("GET", "/shop?uploads", "")
            .body
            .contains("<Key>big</Key>")
    );
    assert!(
        full.send("GET", &format!("/shop/big?uploadId={id}"), "")
            .body
            .contains("<PartNumber>1</PartNumber>")
    );
    let complete = |tag: &str| {
        let body = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        );
        full.send("POST", &format!("/shop/big?uploadId={id}"), &body)
    };
    assert_eq!(refusal(&complete("\"0\"")), (400, "InvalidPart"));
    assert_eq!(complete(tag).status, 200);
    assert_eq!(full.send("GET", "/shop/big", "").body, "only part");
    assert_eq!(refusal(&complete(tag)), (404, "NoSuchUpload"));
    let delete = "<Delete><Object><Key>big</Key></Object><Object><Key>none</Key></Object></Delete>";
    assert_eq!(full.send_digested("POST", "/shop?delete", delete).status, 200);
    assert!(
        sandbox
            .world()
            .spaces
            .bucket("shop")
            .expect("there")
            .objects
            .is_empty()
    );
}
