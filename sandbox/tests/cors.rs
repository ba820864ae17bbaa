//! What a browser is answered is what RGW, the engine behind Spaces, answers it: `cors-rgw.json` holds what Ceph 16.2.15
//! gave back of twelve sets of rules, and how it answered 19 questions about each.

mod client;
#[path = "client/s3.rs"]
mod s3;

use s3::Caller;
use serde::Deserialize;
use serde_json::{Map, Value};
use spacekeeper_sandbox::spaces::CorsRule;
use spacekeeper_sandbox::{Sandbox, World};

/// The headers of which an answer to a browser is made.
const ANSWER: [&str; 6] = [
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
    "vary",
];

#[derive(Deserialize)]
struct Set {
    name: String,
    rules: Vec<Rule>,
    /// Origins and methods of each rule, as they came back.
    back: Vec<(Vec<String>, Vec<String>)>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Rule {
    id: Option<String>,
    origins: Vec<String>,
    methods: Vec<String>,
    headers: Vec<String>,
    expose: Vec<String>,
    max_age: Option<i32>,
}

/// A question and its answer.
#[derive(Deserialize)]
struct Row {
    /// The method of the request.
    ask: String,
    origin: String,
    /// What a preflight asks for; nothing for another request.
    method: Option<String>,
    headers: Option<String>,
    /// Of a preflight; that of another request is not about CORS.
    status: Option<u16>,
    answer: Map<String, Value>,
}

fn measured() -> Vec<Set> {
    serde_json::from_str(include_str!("cors-rgw.json")).expect("the table")
}

fn configuration(rules: &[Rule]) -> String {
    let element = |name: &str, text: &str| format!("<{name}>{text}</{name}>");
    let all = |name: &str, texts: &[String]| texts.iter().map(|text| element(name, text)).collect::<String>();
    let rules = rules.iter().map(|rule| {
        let id = rule.id.as_ref().map(|id| element("ID", id));
        let age = rule.max_age.map(|age| element("MaxAgeSeconds", &age.to_string()));
        let parts = [
            id.unwrap_or_default(),
            all("AllowedOrigin", &rule.origins),
            all("AllowedMethod", &rule.methods),
            all("AllowedHeader", &rule.headers),
            all("ExposeHeader", &rule.expose),
            age.unwrap_or_default(),
        ];
        element("CORSRule", &parts.concat())
    });
    element("CORSConfiguration", &rules.collect::<String>())
}

fn full(sandbox: &Sandbox) -> Caller {
    let address = sandbox.spaces_url().replace("http://", "");
    Caller {
        host: address.clone(),
        address,
        access_key: World::FULL_ACCESS_KEY_ID.to_owned(),
        secret_key: World::FULL_ACCESS_SECRET.to_owned(),
    }
}

/// What a browser is told in answer to a row.
fn answered(caller: &Caller, row: &Row) -> (u16, Map<String, Value>) {
    let mut headers = vec![("origin", row.origin.as_str())];
    headers.extend(
        row.method
            .as_deref()
            .map(|word| ("access-control-request-method", word)),
    );
    headers.extend(
        row.headers
            .as_deref()
            .map(|names| ("access-control-request-headers", names)),
    );
    let answer = caller.send_unsigned(&row.ask, "/shop/nothing", &headers);
    let told = ANSWER
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), answer.header(name)?.into())));
    (answer.status, told.collect())
}

#[test]
fn every_question_is_answered_as_rgw_answers_it() {
    let sandbox = Sandbox::start(World::new().with_full_access_pair().with_bucket("nyc3", "shop"));
    let full = full(&sandbox);
    for set in measured() {
        let put = full.send_digested("PUT", "/shop?cors", &configuration(&set.rules));
        assert_eq!(put.status, 200, "{}: {}", set.name, put.body);
        for row in &set.rows {
            let (status, told) = answered(&full, row);
            let asked = format!("{}: {} {:?} from {}", set.name, row.ask, row.method, row.origin);
            assert_eq!(told, row.answer, "{asked} {:?}", row.headers);
            assert!(
                row.status.is_none_or(|measured| measured == status),
                "{asked}: {status}"
            );
        }
    }
}

#[test]
fn rules_come_back_as_rgw_gives_them_back() {
    let sandbox = Sandbox::start(World::new().with_full_access_pair().with_bucket("nyc3", "shop"));
    let full = full(&sandbox);
    for set in measured() {
        full.send_digested("PUT", "/shop?cors", &configuration(&set.rules));
        let world = sandbox.world();
        let shop = world.spaces.bucket("shop").expect("the bucket");
        let back = |rule: &CorsRule| (rule.allowed_origins.clone(), rule.allowed_methods.clone());
        assert_eq!(
            shop.cors.iter().map(back).collect::<Vec<_>>(),
            set.back,
            "{}",
            set.name
        );
    }
}

#[test]
fn a_question_without_origin_or_method_is_none() {
    let sandbox = Sandbox::start(World::new().with_full_access_pair().with_bucket("nyc3", "shop"));
    let full = full(&sandbox);
    for headers in [
        vec![("origin", "https://app1.example")],
        vec![("access-control-request-method", "GET")],
    ] {
        let answer = full.send_unsigned("OPTIONS", "/shop/nothing", &headers);
        assert_eq!(answer.status, 400);
        assert!(
            answer.body.contains("<Code>InvalidArgument</Code>"),
            "{}",
            answer.body
        );
    }
}
