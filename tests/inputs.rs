//! Bad input gets a clear error, all problems at once, and nothing is touched.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use crate::fixture::{Outcome, Run, World, sandbox, secret};

/// Runs the least request with these inputs on top, and insists that it is refused before anybody is asked anything.
#[track_caller]
fn refused(inputs: &[(&str, &str)]) -> Outcome {
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox);
    refuses(
        inputs
            .iter()
            .fold(run, |run, (name, value)| run.input(name, value)),
    )
}

#[track_caller]
fn refuses(run: Run<'_>) -> Outcome {
    let outcome = run.go().exits(2);
    assert!(outcome.journal.is_empty(), "asked nobody: {:#?}", outcome.journal);
    assert!(
        outcome.stdout.contains("nothing was touched"),
        "{}",
        outcome.stdout
    );
    outcome
}

#[test]
fn a_region_without_spaces_is_refused_with_the_list() {
    refused(&[("region", "nyc1")]).complains(&["region: ", "`nyc1`", "ams3", "nyc3", "tor1"]);
}

#[test]
fn bucket_names_that_spaces_cannot_serve_are_refused_each_for_its_reason() {
    let too_long = "a".repeat(64);
    for (name, reason) in [
        ("shop.uploads", "dot"),
        ("Shop-Uploads", "upper-case"),
        (too_long.as_str(), "64 characters"),
        ("xn--shop", "`xn--` is reserved"),
        ("ab", "3 to 63"),
        ("shop_uploads", "`_`"),
        ("-shop", "hyphen"),
    ] {
        refused(&[("buckets", name)]).complains(&["buckets: ", reason]);
        refused(&[("log-bucket", name)]).complains(&["log-bucket: ", reason]);
    }
}

#[test]
fn a_bucket_cannot_hold_its_own_logs() {
    refused(&[
        ("buckets", "shop-uploads\nshop-logs"),
        ("log-bucket", "shop-logs"),
    ])
    .complains(&["log-bucket: ", "`shop-logs` is also one of the buckets"]);
}

#[test]
fn a_bucket_that_stands_there_twice_is_refused() {
    refused(&[("buckets", "shop-uploads=read\nshop-uploads")]).complains(&["buckets: ", "twice"]);
}

#[test]
fn a_list_in_one_line_is_told_how_it_is_written() {
    for (input, list) in [
        ("buckets", "shop-uploads, shop-media"),
        ("buckets", "shop-uploads shop-media"),
        ("app-components", "api, web"),
    ] {
        let told = refused(&[(input, list), ("app-platform-app", "shop")]);
        told.complains(&[&format!("{input}: "), "one entry a line"]);
    }
    let origins = refused(&[
        ("cors", "private-uploads"),
        ("cors-origins", "https://a.example, https://b.example"),
    ]);
    origins.complains(&["cors-origins: ", "one entry a line"]);
}

#[test]
fn an_audit_without_a_token_asks_for_what_an_audit_needs() {
    let sandbox = sandbox();
    let outcome = Run::bare(&sandbox).input("command", "audit").go().exits(2);
    outcome.complains(&["digitalocean-token: ", "spaces_key:read, app:read"]);
    assert!(
        !outcome.stdout.contains("it mints the keys"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn secret_names_that_github_refuses_are_refused_first() {
    for input in ["access-key-secret", "secret-key-secret", "credentials-secret"] {
        let start = format!("{input}: ");
        refused(&[(input, "GITHUB_SPACES")]).complains(&[&start, "GITHUB_"]);
        refused(&[(input, "1SPACES")]).complains(&[&start, "digit"]);
        refused(&[(input, "SPACES-KEY")]).complains(&[&start, "`-`"]);
    }
    refused(&[("secret-key-secret", "spaces_access_key")])
        .complains(&["secret-key-secret: ", "also the name"]);
}

#[test]
fn a_value_that_github_could_not_keep_is_refused_without_being_shown() {
    let outcome = refused(&[("key-name", &"k".repeat(49 * 1024))]);
    outcome.complains(&["key-name: ", "49 KB"]);
    assert!(outcome.stdout.len() < 4096, "the value is not shown");
}

#[test]
fn spans_of_time_need_a_number_and_a_unit() {
    for input in ["max-age", "grace-period", "lock-timeout", "deployment-timeout"] {
        refused(&[(input, "90 days!")]).complains(&[&format!("{input}: "), "90d"]);
    }
}

/// Neither is wrong by itself, so each problem names both with their values, and what would do.
#[test]
fn a_life_that_no_daily_schedule_can_hold_is_refused_with_the_figure() {
    let both = refused(&[("max-age", "12h"), ("grace-period", "24h")]);
    both.complains(&[
        "max-age: 12h with grace-period 24h",
        "set max-age to at least 4d 3h 30m",
    ]);
    let room = refused(&[("max-age", "99h"), ("grace-period", "24h")]);
    room.complains(&[
        "max-age: 4d 3h with grace-period 24h",
        "or grace-period to at most 23h",
    ]);
    let default = refused(&[("grace-period", "89d")]);
    default.complains(&["grace-period: 89d", "with max-age 90d", "(the default)"]);
}

#[test]
fn spans_of_time_have_a_ceiling() {
    for input in ["max-age", "grace-period", "lock-timeout", "deployment-timeout"] {
        for span in ["500000000000y", "11y", "18446744073709551615s"] {
            refused(&[(input, span)]).complains(&[&format!("{input}: "), "at most 10 years"]);
        }
    }
}

/// The first of them made the SDK panic, with the full-access key alive.
#[test]
fn ids_of_keys_are_no_free_text_and_are_not_shown() {
    for wrong in ["DO00\nX", "DO00 X", "../keys", "DO00EXAMPLE+0/canary"] {
        let check = [("command", "check"), ("access-key", wrong), ("secret-key", "s")];
        let pair = [
            ("spaces-access-key-id", wrong),
            ("spaces-secret-access-key", World::FULL_ACCESS_SECRET),
        ];
        let adopted = [("adopt-access-key-id", wrong)];
        for inputs in [check.as_slice(), &pair, &adopted] {
            let outcome = refused(inputs);
            outcome.complains(&["it is no access key id"]);
            assert!(!outcome.stdout.contains(wrong), "{wrong} in {}", outcome.stdout);
        }
    }
}

/// Names that would lead a request to another place, or that no service has.
#[test]
fn names_of_places_are_no_paths() {
    for (input, wrong) in [
        ("github-environment", ".."),
        ("github-environment", "a\nb"),
        ("app-platform-app", "../apps"),
        ("app-components", "api\n../web"),
        ("cdn-certificate-id", "a/b"),
    ] {
        let beside = [
            ("cdn", "true"),
            ("cdn-domain", "assets.shop.example"),
            ("cdn-certificate-id", "x"),
        ];
        let inputs = [&beside[..], &[("app-platform-app", "shop"), (input, wrong)]].concat();
        refused(&inputs).complains(&[&format!("{input}: "), "is not accepted"]);
    }
}

#[test]
fn switches_are_spelt_true_or_false() {
    for input in ["variables", "wait-for-deployment", "export-env", "dry-run"] {
        refused(&[(input, "yes")]).complains(&[&format!("{input}: "), "true or false"]);
    }
}

#[test]
fn two_credentials_for_one_thing_are_refused() {
    refused(&[
        ("github-app-id", "7"),
        ("github-app-private-key", "a private key"),
    ])
    .complains(&["github-token: ", "one of the two"]);
}

#[test]
fn half_a_pair_is_refused() {
    refused(&[("spaces-access-key-id", World::FULL_ACCESS_KEY_ID)])
        .complains(&["spaces-secret-access-key: it is missing"]);
    refused(&[("spaces-secret-access-key", World::FULL_ACCESS_SECRET)])
        .complains(&["spaces-access-key-id: it is missing"]);
    refused(&[("github-token", ""), ("github-app-id", "7")])
        .complains(&["github-app-private-key: it is missing"]);
}

#[test]
fn a_repository_that_nobody_names_is_asked_for() {
    let sandbox = sandbox();
    refuses(Run::bootstrap(&sandbox).without_env("GITHUB_REPOSITORY"))
        .complains(&["github-repository: it is missing"]);
    refused(&[("github-repository", "shop")]).complains(&["github-repository: ", "owner/name"]);
}

#[test]
fn credentials_that_nobody_gives_are_asked_for() {
    let outcome = refused(&[("digitalocean-token", ""), ("github-token", "")]);
    outcome.complains(&["digitalocean-token: it is missing", "spaces_key"]);
    outcome.complains(&["github-token: it is missing", "GITHUB_TOKEN cannot write secrets"]);
}

#[test]
fn an_input_that_does_not_exist_is_refused_with_the_one_that_was_meant() {
    refused(&[("log-buckt", "shop-logs")]).complains(&["log-buckt: ", "`log-bucket`"]);
    refused(&[("website", "index.html")]).complains(&["website: ", "no such input"]);
}

#[test]
fn a_command_of_another_version_is_refused() {
    refused(&[("command", "explode")]).complains(&["command: ", "`bootstrap`"]);
}

#[test]
fn a_report_stays_inside_the_workspace() {
    for path in ["../report.json", "/tmp/report.json"] {
        refused(&[("report-file", path)]).complains(&["report-file: ", "workspace"]);
    }
}

#[test]
fn every_problem_is_told_at_once_and_none_twice() {
    let outcome = refused(&[
        ("region", "mars1"),
        ("buckets", "Shop"),
        ("log-bucket", "shop.logs"),
        ("access-key-secret", "GITHUB_KEY"),
        ("max-age", "90 days!"),
        ("dry-run", "maybe"),
        ("github-token", ""),
    ]);
    let errors = outcome.errors();
    let named: Vec<_> = errors
        .iter()
        .filter_map(|error| error.split(": ").next())
        .collect();
    let mut wanted = [
        "region",
        "buckets",
        "log-bucket",
        "access-key-secret",
        "max-age",
        "dry-run",
        "github-token",
    ];
    let mut found = named.clone();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{errors:#?}");
}

#[test]
fn more_problems_than_github_shows_are_all_told_somewhere() {
    let inputs = [
        ("region", "mars1"),
        ("buckets", "Shop"),
        ("log-bucket", "shop.logs"),
        ("log-retention-days", "0"),
        ("access-key-secret", "GITHUB_A"),
        ("secret-key-secret", "GITHUB_B"),
        ("credentials-secret", "GITHUB_C"),
        ("max-age", "long"),
        ("grace-period", "short"),
        ("lock-timeout", "never"),
        ("dry-run", "maybe"),
        ("export-env", "perhaps"),
        ("report-file", "../x"),
    ];
    let outcome = refused(&inputs);
    let errors = outcome.errors();
    assert!(errors.len() <= 10, "GitHub shows ten: {errors:#?}");
    for (input, _) in inputs {
        let told = errors
            .iter()
            .any(|error| error.starts_with(&format!("{input}: ")));
        assert!(
            told || outcome.summary.contains(input) || outcome.stdout.contains(&format!("{input}: ")),
            "{input} is told nowhere:\n{}\n{}",
            outcome.stdout,
            outcome.summary
        );
    }
}

#[test]
fn a_token_with_a_line_break_inside_is_refused_without_being_shown() {
    let broken = World::DIGITALOCEAN_TOKEN.replace("5a9d", "5a9d\n");
    refused(&[("digitalocean-token", &broken)]).complains(&["digitalocean-token: ", "white space inside"]);
}

#[test]
fn a_token_with_a_newline_at_its_end_works_with_a_warning() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .input("digitalocean-token", &format!("{}\n", World::DIGITALOCEAN_TOKEN))
        .input("github-token", &format!(" {}\r\n", World::GITHUB_TOKEN))
        .go()
        .green();
    let warnings = outcome.warnings().join("\n");
    for input in ["digitalocean-token", "github-token"] {
        assert!(
            warnings.contains(&format!("{input}: white space")),
            "{input} in {warnings}"
        );
    }
    assert!(secret(&sandbox, "SPACES_SECRET_KEY").is_some());
}

#[test]
fn an_empty_input_is_an_unset_one() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .input("region", "")
        .input("log-bucket", "   ")
        .input("max-age", "\n")
        .go();
    let outcome = outcome.green();
    assert_eq!(outcome.output("changed"), "true");
    assert_eq!(
        sandbox
            .world()
            .spaces
            .bucket("shop-uploads")
            .expect("the bucket")
            .region,
        "nyc3"
    );
}

#[test]
fn an_input_may_be_spelt_with_underscores() {
    let sandbox = sandbox();
    Run::bootstrap(&sandbox)
        .without_env("INPUT_LOG-BUCKET")
        .env("INPUT_LOG_BUCKET", "shop-logs")
        .go()
        .green();
    assert!(sandbox.world().spaces.bucket("shop-logs").is_some());
}

#[test]
fn tokens_may_come_from_the_environment() {
    let sandbox = sandbox();
    Run::bootstrap(&sandbox)
        .without_input("digitalocean-token")
        .env("DIGITALOCEAN_ACCESS_TOKEN", World::DIGITALOCEAN_TOKEN)
        .go()
        .green();
    Run::bootstrap(&sandbox)
        .without_input("digitalocean-token")
        .env("DIGITALOCEAN_TOKEN", World::DIGITALOCEAN_TOKEN)
        .go()
        .green();
}

#[test]
fn two_spellings_of_one_input_must_say_the_same() {
    for value in ["false", "maybe"] {
        let sandbox = sandbox();
        let run = Run::bootstrap(&sandbox).input("dry-run", "true");
        refuses(run.env("INPUT_DRY_RUN", value)).complains(&[
            "dry-run: ",
            "INPUT_DRY-RUN and INPUT_DRY_RUN say different things",
        ]);
    }
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox).input("dry-run", "true");
    let outcome = run.env("INPUT_DRY_RUN", " TRUE ").go().green();
    assert!(outcome.journal.writes().is_empty(), "{:#?}", outcome.journal);
}

#[test]
fn the_runners_default_gives_way_to_what_somebody_wrote() {
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox).with_the_runners_defaults();
    let outcome = run.env("INPUT_DRY_RUN", "true").go().green();
    assert!(outcome.journal.writes().is_empty(), "{:#?}", outcome.journal);
}

#[test]
fn two_spellings_of_a_secret_are_not_shown() {
    let sandbox = sandbox();
    let outcome = refuses(Run::bootstrap(&sandbox).env("INPUT_GITHUB_TOKEN", "canary-0123456789"));
    outcome.complains(&["github-token: ", "say different things"]);
    assert!(!outcome.said().contains("canary"), "{}", outcome.stdout);
}

#[test]
fn an_input_that_is_no_text_is_refused_by_its_name() {
    let no_text = || OsString::from_vec(b"tru\xe9".to_vec());
    for name in [
        "INPUT_DRY_RUN",
        "GITHUB_RUN_ID",
        "DIGITALOCEAN_TOKEN",
        "SPACES_ENDPOINT_URL",
    ] {
        let sandbox = sandbox();
        let run = Run::bootstrap(&sandbox).without_env(name);
        refuses(run.raw_env(name.into(), no_text())).complains(&[&format!("{name}: "), "not UTF-8"]);
    }
    let sandbox = sandbox();
    let mut name = OsString::from("INPUT_DRY-RUN");
    name.push(no_text());
    refuses(Run::bootstrap(&sandbox).raw_env(name, "true".into())).complains(&["INPUT_DRY-RUN", "not UTF-8"]);
}

#[test]
fn a_variable_of_others_need_not_be_text() {
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox);
    run.raw_env("LS_COLORS".into(), OsString::from_vec(vec![0xff]))
        .go()
        .green();
}

#[test]
fn what_the_runner_says_of_itself_is_not_guessed() {
    for (name, value) in [
        ("GITHUB_RUN_ID", "12a"),
        ("GITHUB_RUN_ATTEMPT", "first"),
        ("GITHUB_ACTIONS", "yes"),
        ("RUNNER_DEBUG", "on"),
    ] {
        let sandbox = sandbox();
        let outcome = Run::bootstrap(&sandbox).env(name, value).go().exits(2);
        assert!(outcome.journal.is_empty(), "{:#?}", outcome.journal);
        for told in [name, &format!("`{value}` is not accepted")] {
            assert!(outcome.stdout.contains(told), "{told} in {}", outcome.stdout);
        }
    }
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox).env("GITHUB_REPOSITORY", "shop");
    refuses(run.input("github-repository", "acme/shop")).complains(&["GITHUB_REPOSITORY: ", "owner/name"]);
}

#[test]
fn an_unknown_input_is_not_lost_beside_one_that_asks_for_nothing() {
    let sandbox = sandbox();
    let run = Run::bootstrap(&sandbox)
        .env("INPUT_NO-SUCH", "false")
        .env("INPUT_NO_SUCH", "yes");
    refuses(run).complains(&["no-such: ", "no such input"]);
}

#[test]
fn a_bucket_with_two_hyphens_in_a_row_has_a_key_of_its_own() {
    let sandbox = sandbox();
    let outcome = Run::bootstrap(&sandbox)
        .input("buckets", "a-bx\na--bx")
        .input("key-scope", "bucket")
        .go()
        .green();
    assert_eq!(
        outcome.json_output("keys").as_array().map(Vec::len),
        Some(2),
        "{}",
        outcome.stdout
    );
}
