//! What both doors are fed.

use serde_json::json;

/// A field of the file and the input that says the same.
pub(super) struct Twin {
    pub(super) input: &'static str,
    /// Inputs that are needed beside it.
    pub(super) beside: &'static [(&'static str, &'static str)],
    /// The file with the value in it.
    pub(super) file: fn(&str) -> String,
    /// How the value is written there.
    pub(super) written: fn(&str) -> String,
    pub(super) good: &'static [&'static str],
    pub(super) bad: &'static [&'static str],
}

const APP: (&str, &str) = ("app-platform-app", "shop");
const LOGS: (&str, &str) = ("log-bucket", "shop-logs");
const UPLOADS: (&str, &str) = ("cors", "private-uploads");
const CDN: (&str, &str) = ("cdn", "true");

const SECRET_NAMES_GOOD: &[&str] = &["SPACES_X", "spaces_x", "_X", "X1", "GITHUBX"];
const SECRET_NAMES_BAD: &[&str] = &[
    "GITHUB_X", "github_x", "1X", "X-Y", "X Y", "X.Y", "É", "x/../y", "X\nY", LONG,
];
const HOSTS_BAD: &[&str] = &[
    "https://assets.shop.example",
    "assets",
    "assets.shop.example/",
    "assets.shop.example:443",
    "*.shop.example",
    "assets..example",
    "-a.example",
    "a-.example",
    "a b.example",
    ".example",
    "a.",
    "me@a.example",
    LONG,
];

/// Longer than anything but a prefix may be.
const LONG: &str = concat!(
    "a234567890123456789012345678901234567890123456789012345678901234",
    "a234567890123456789012345678901234567890123456789012345678901234",
    "a234567890123456789012345678901234567890123456789012345678901234",
    "a234567890123456789012345678901234567890123456789012345678901234",
    "a234567890123456789012345678901234567890123456789012345678901234",
);

pub(super) const TWINS: &[Twin] = &[
    Twin {
        input: "region",
        beside: &[],
        file: |value| top(&format!("region: {value}")),
        written: quoted,
        good: &["nyc3", "ams3", "tor1"],
        bad: &["nyc1", "NYC3", "nyc3,ams3", "mars", LONG],
    },
    Twin {
        input: "max-age",
        beside: &[],
        file: |value| top(&format!("max_age: {value}")),
        written: quoted,
        good: &["90d", "100h", "5 days", "5day 2h", "10y", "1month", "3000000s"],
        bad: &[
            "99h",
            "2 days",
            "25h",
            "90",
            "0",
            "90 days!",
            "-1d",
            "soon",
            "12h",
            "11y",
            "500000000000y",
            "18446744073709551615s",
            "1.5.d",
            "99999999999999999999999d",
            LONG,
        ],
    },
    Twin {
        input: "grace-period",
        beside: &[],
        file: |value| top(&format!("grace_period: {value}")),
        written: quoted,
        good: &["0", "0s", "1h", "86d"],
        bad: &["90d", "88d", "1", "1 fortnight", "-1h", "500000000000y"],
    },
    Twin {
        input: "app",
        beside: &[("key-name", "shop-spaces-key"), LOGS],
        file: |value| whole(value, "shop-uploads", "shop-spaces-key"),
        written: quoted,
        good: &[
            "shop",
            "s",
            "shop-2",
            "2-shops",
            "a-rather-long-application-name-uploads",
        ],
        bad: &[
            "Shop", "shop--2", "-shop", "shop-", "shop_2", "shop.2", "shop 2", "../shop", LONG,
        ],
    },
    Twin {
        input: "buckets",
        beside: &[LOGS],
        file: |value| whole("shop", value, "shop-spaces-key"),
        written: quoted,
        good: &["shop-uploads", "abc", "a-1", "123"],
        bad: &[
            "ab",
            "Shop",
            "shop_uploads",
            "shop.uploads",
            "-shop",
            "shop-",
            "xn--shop",
            "shop-s3alias",
            "shop uploads",
            "../shop",
            "shop/",
            LONG,
        ],
    },
    Twin {
        input: "buckets",
        beside: &[LOGS],
        file: |value| grants(value.trim_start_matches("shop-uploads=")),
        written: verbatim,
        good: &["shop-uploads=read", "shop-uploads=readwrite"],
        bad: &[
            "shop-uploads=write",
            "shop-uploads=READ",
            "shop-uploads=fullaccess",
            "shop-uploads=none",
        ],
    },
    Twin {
        input: "log-bucket",
        beside: &[],
        file: |value| {
            let logging = format!("logging: {{ bucket: {value} }}");
            file("", &logging, &format!("      {value}: {{}}"), "")
        },
        written: quoted,
        good: &["shop-logs", "logs"],
        bad: &["Logs", "shop.logs", "lo", "logs-", LONG],
    },
    Twin {
        input: "log-prefix",
        beside: &[LOGS],
        file: |value| bucket(&format!("logging: {{ bucket: shop-logs, prefix: {value} }}")),
        written: quoted,
        good: &["logs/", "{app}/", "{bucket}-", "a b/", "é/", "a/../b/", LONG],
        bad: &[
            "/logs/",
            "{day}/",
            "{",
            "a}",
            "a\u{7}b",
            concat!(
                "{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}",
                "{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}",
                "{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}",
                "{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}{bucket}",
            ),
        ],
    },
    Twin {
        input: "log-retention-days",
        beside: &[LOGS],
        file: |value| {
            let logs = format!("      shop-logs: {{ retention_days: {value} }}");
            file("", "logging: { bucket: shop-logs }", &logs, "")
        },
        written: quoted,
        good: &["1", "30", "36500", "007"],
        bad: &[
            "0",
            "-1",
            "36501",
            "1.5",
            "30d",
            "99999999999999999999",
            "0x10",
            "1e3",
            "thirty",
            LONG,
        ],
    },
    Twin {
        input: "cors",
        beside: &[],
        file: |value| bucket(&format!("cors: {value}")),
        written: quoted,
        good: &["public-assets", "none"],
        bad: &["private-uploads", "private", "NONE", "*", "off", "true", LONG],
    },
    Twin {
        input: "cors",
        beside: &[],
        file: |value| bucket(&format!("cors: {value}")),
        written: verbatim,
        good: &[
            r#"[{"origins": ["https://a.example"], "methods": ["GET"]}]"#,
            r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["get", "PUT"], "AllowedHeaders": ["*"], "ID": "x"}]"#,
            r#"{"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 5}]}"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "max_age_seconds": 0}]"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "max_age": 600, "headers": ["x-a*"], "expose": ["b"]}]"#,
        ],
        bad: &[
            "[]",
            "{}",
            "[{}]",
            "[[]]",
            "[1]",
            r#"{"CORSRules": []}"#,
            r#"[{"origins": [], "methods": ["GET"]}]"#,
            r#"[{"origins": ["*"], "methods": []}]"#,
            r#"[{"origins": ["*"], "methods": ["PATCH"]}]"#,
            r#"[{"origins": ["shop.example"], "methods": ["GET"]}]"#,
            r#"[{"origins": "*", "methods": ["GET"]}]"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "max_age_seconds": -5}]"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "max_age_seconds": 99999999999}]"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "max_age_seconds": "an hour"}]"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "headers": ["a b"]}]"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "headers": ["*-*"]}]"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "expose": [""]}]"#,
            r#"[{"origins": ["*"], "methods": ["GET"], "credentials": true}]"#,
            r#"[{"origins": ["*"], "AllowedOrigins": ["*"], "methods": ["GET"]}]"#,
            r#"[{"origins": ["*"], "origins": ["*"], "methods": ["GET"]}]"#,
        ],
    },
    Twin {
        input: "cors-origins",
        beside: &[UPLOADS],
        file: |value| bucket(&format!("cors: private-uploads, cors_origins: {value}")),
        written: listed,
        good: &[
            "https://shop.example",
            "http://localhost:3000",
            "*",
            "https://*.shop.example",
            "HTTPS://Shop.example",
            "https://a.example\nhttps://b.example",
            "https://[::1]:8080",
        ],
        bad: &[
            "shop.example",
            "https://shop.example/",
            "https://shop.example/a",
            "https://shop.example?a",
            "ftp://shop.example",
            "https://*.*.example",
            "https://me@shop.example",
            "https://",
            "https://a b.example",
            "null",
            "from-app",
            "https://a.example\nb.example",
            LONG,
        ],
    },
    Twin {
        input: "cors-origins",
        beside: &[UPLOADS, APP],
        file: |value| {
            let cors = format!("cors: private-uploads, cors_origins: {value}");
            file("", &cors, "", "app_platform: [{ app: shop }]")
        },
        written: listed,
        good: &["from-app", "from-app\nhttps://shop.example"],
        bad: &["from-apps", "from-app, https://shop.example"],
    },
    Twin {
        input: "cors-origins",
        beside: &[],
        file: |value| bucket(&format!("cors_origins: {value}")),
        written: listed,
        good: &[],
        bad: &["https://shop.example"],
    },
    Twin {
        input: "cors-origins",
        beside: &[("cors", "none")],
        file: |value| bucket(&format!("cors: none, cors_origins: {value}")),
        written: listed,
        good: &[],
        bad: &["https://shop.example"],
    },
    Twin {
        input: "cdn",
        beside: &[],
        file: |value| bucket(&format!("cdn: {value}")),
        written: quoted,
        good: &["true", "True", "FALSE", "false"],
        bad: &["yes", "on", "1", "tRue", "off", LONG],
    },
    Twin {
        input: "cdn-ttl",
        beside: &[CDN],
        file: |value| bucket(&format!("cdn: {{ ttl: {value} }}")),
        written: quoted,
        good: &["60", "600", "3600", "86400", "604800"],
        bad: &["0", "61", "-60", "1h", "3600.0", "99999999999", LONG],
    },
    Twin {
        input: "cdn-domain",
        beside: &[CDN, ("cdn-certificate-id", "needs-cloudflare-cert")],
        file: |value| {
            bucket(&format!(
                "cdn: {{ domain: {value}, certificate_id: needs-cloudflare-cert }}"
            ))
        },
        written: quoted,
        good: &[
            "assets.shop.example",
            "Assets.Shop.example",
            "a.b",
            "xn--bcher-kva.example",
        ],
        bad: HOSTS_BAD,
    },
    Twin {
        input: "cdn-domain",
        beside: &[CDN],
        file: |value| bucket(&format!("cdn: {{ domain: {value} }}")),
        written: quoted,
        good: &[],
        bad: &["assets.shop.example", "assets"],
    },
    Twin {
        input: "cdn-certificate-id",
        beside: &[CDN, ("cdn-domain", "assets.shop.example")],
        file: |value| {
            bucket(&format!(
                "cdn: {{ domain: assets.shop.example, certificate_id: {value} }}"
            ))
        },
        written: quoted,
        good: &["892071a0-bb95-49bc-8021-3afd67a210bf", "needs-cloudflare-cert"],
        bad: &["../keys", "a b", "a/b", "a\nb", "é", LONG],
    },
    Twin {
        input: "cdn-certificate-id",
        beside: &[CDN],
        file: |value| bucket(&format!("cdn: {{ certificate_id: {value} }}")),
        written: quoted,
        good: &[],
        bad: &["needs-cloudflare-cert", "a b"],
    },
    Twin {
        input: "cdn-purge",
        beside: &[CDN],
        file: |value| bucket(&format!("cdn: {{ purge: {value} }}")),
        written: quoted,
        good: &["true", "false"],
        bad: &["yes", "always"],
    },
    Twin {
        input: "key-name",
        beside: &[LOGS],
        file: |value| whole("shop", "shop-uploads", value),
        written: quoted,
        good: &["mine", "a", "shop-spaces-key-of-29-letters"],
        bad: &[
            "Mine",
            "my--key",
            "-key",
            "key-",
            "my_key",
            "my.key",
            "my key",
            "shop-spaces-key-of-30-letters-",
            "{bucket}",
            "..",
            "a-name-of-thirty-letters-is-xx",
            LONG,
        ],
    },
    Twin {
        input: "access-key-secret",
        beside: &[],
        file: |value| github(&format!("secrets: {{ access_key: {value} }}")),
        written: quoted,
        good: SECRET_NAMES_GOOD,
        bad: SECRET_NAMES_BAD,
    },
    Twin {
        input: "secret-key-secret",
        beside: &[],
        file: |value| github(&format!("secrets: {{ secret_key: {value} }}")),
        written: quoted,
        good: SECRET_NAMES_GOOD,
        bad: &["GITHUB_X", "1X", "SPACES_ACCESS_KEY", "spaces_access_key"],
    },
    Twin {
        input: "credentials-secret",
        beside: &[],
        file: |value| github(&format!("secrets: {{ credentials: {value} }}")),
        written: quoted,
        good: SECRET_NAMES_GOOD,
        bad: &[
            "GITHUB_X",
            "1X",
            "SPACES_ACCESS_KEY",
            "SPACES_SECRET_KEY",
            "spaces_secret_key",
        ],
    },
    Twin {
        input: "github-repository",
        beside: &[],
        file: |value| github(&format!("repository: {value}")),
        written: quoted,
        good: &["acme/shop", "Acme/Shop.io", "a/b", "acme/-_.x"],
        bad: &[
            "shop",
            "acme/",
            "/shop",
            "acme/shop/x",
            "acme/..",
            "../shop",
            "acme/sh op",
            "acme/shop?x",
            "https://github.com/acme/shop",
            "acme\\shop",
            "acme/é",
            LONG,
        ],
    },
    Twin {
        input: "github-environment",
        beside: &[],
        file: |value| github(&format!("environment: {value}")),
        written: quoted,
        good: &["production", "prod/eu west #1", "Prod", "é", "..x", "%2F"],
        bad: &[".", "..", "a\nb", "a\tb", "a\u{7}b", LONG],
    },
    Twin {
        input: "variables",
        beside: &[],
        file: |value| github(&format!("variables: {value}")),
        written: quoted,
        good: &["true", "false", "True"],
        bad: &["yes", "0", "some"],
    },
    Twin {
        input: "app-platform-app",
        beside: &[],
        file: |value| key(&format!("app_platform: [{{ app: {value} }}]")),
        written: quoted,
        good: &["shop", "4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cf", "shop-2"],
        bad: &[
            "shop/api",
            "..",
            "../apps",
            "my shop",
            "shop\nblog",
            "shop?x",
            "-shop",
            "é",
            LONG,
        ],
    },
    Twin {
        input: "app-components",
        beside: &[APP],
        file: |value| key(&format!("app_platform: [{{ app: shop, components: {value} }}]")),
        written: listed,
        good: &["api", "api\nworker", "worker\napi\napi"],
        bad: &["my api", "api,worker", "api\n../x", "é", LONG],
    },
];

fn quoted(value: &str) -> String {
    json!(value).to_string()
}

fn listed(value: &str) -> String {
    json!(value.lines().collect::<Vec<_>>()).to_string()
}

fn verbatim(value: &str) -> String {
    value.to_owned()
}

/// One app with one bucket and one key, and something more at each of the places.
fn file(top: &str, bucket: &str, buckets: &str, key: &str) -> String {
    let comma = if key.is_empty() { "" } else { ", " };
    format!(
        "version: 1
{top}
apps:
  shop:
    buckets:
      shop-uploads: {{ {bucket} }}
{buckets}
    keys:
      shop-spaces-key: {{ grants: {{ shop-uploads: readwrite }}{comma}{key} }}
"
    )
}

fn top(field: &str) -> String {
    file(field, "", "", "")
}

fn bucket(fields: &str) -> String {
    let logs = if fields.contains("shop-logs") {
        "      shop-logs:"
    } else {
        ""
    };
    file("", fields, logs, "")
}

fn key(fields: &str) -> String {
    file("", "", "", fields)
}

fn github(fields: &str) -> String {
    key(&format!("github: [{{ {fields} }}]"))
}

fn grants(permission: &str) -> String {
    bucket("logging: { bucket: shop-logs }").replace("readwrite", permission)
}

fn whole(app: &str, bucket: &str, key: &str) -> String {
    bucket_with_logs()
        .replace("  shop:\n", &format!("  {app}:\n"))
        .replace("shop-uploads", bucket)
        .replace("shop-spaces-key", key)
}

fn bucket_with_logs() -> String {
    bucket("logging: { bucket: shop-logs }")
}
