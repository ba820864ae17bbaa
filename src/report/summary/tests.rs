//! The whole page as a person sees it, and what a stranger's text can do to it.

use std::collections::BTreeMap;

use comrak::{Options, markdown_to_html};

use super::super::fixtures::{audited, checked, finding, findings, key, older, report};
use super::*;
use crate::model::finding::{APP_PINNED, LOGGING_OFF, UNKNOWN};
use crate::model::inventory::{ListedApp, ListedBucket};
use crate::report::inventory::fixtures::{bucket, inventory, key as listed_key};
use crate::report::{KeyReport, OlderKey};

/// Texts that would like to be more than text.
const HOSTILE: [&str; 17] = [
    "a|b|c",
    "`code` ``` ~~~",
    "```\n```mermaid\ngantt",
    "<script>alert(1)</script>",
    "</details></td></tr></table><h1>x</h1>",
    "<img src=x onerror=alert(1)>",
    "<!-- x",
    "::error::x",
    "\n::set-output name=x::y",
    "##[error]x",
    "@acme/team and me@example.com",
    "[x](https://evil.example) ![y](https://evil.example/y.png)",
    "https://evil.example www.evil.example ftp://evil.example",
    "one\r\ntwo\n\n# three\n- four\n1. five",
    "%%{init: {}}%% ; end\nclick x href \"y\"",
    "gepj.\u{202E}exe\u{2028}| next |",
    "&lt;b&gt; \\| $x$ *a* _b_ ~~c~~ <https://evil.example>",
];

/// As GitHub renders it, except that raw HTML stays to be seen.
fn rendered(page: &str) -> String {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.render.r#unsafe = true;
    markdown_to_html(page, &options)
}

/// How often each element is opened.
fn elements(html: &str) -> BTreeMap<String, usize> {
    let mut elements = BTreeMap::new();
    for after in html.split('<').skip(1) {
        let name: String = after.chars().take_while(char::is_ascii_alphanumeric).collect();
        if !name.is_empty() {
            *elements.entry(name).or_default() += 1;
        }
    }
    elements
}

/// The cells of the rendered page, as a person reads them.
fn cells(html: &str) -> Vec<String> {
    let cells = html.split("<td>").skip(1);
    let cells = cells.map(|cell| cell.split_once("</td>").expect("a closed cell").0);
    cells.map(read).collect()
}

fn read(html: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
        ("\u{2060}", ""),
    ];
    pairs
        .into_iter()
        .fold(html.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A report in which every text that comes from outside is this.
fn soaked(text: &str) -> Report {
    let mut findings = vec![finding(&UNKNOWN, text)];
    findings[0].what = text.to_owned();
    findings[0].remedy = text.to_owned();
    let mut inventory = inventory();
    inventory.keys = vec![listed_key(text, text, Vec::new())];
    inventory.buckets = vec![ListedBucket {
        logging: Some(text.to_owned()),
        ..bucket(text)
    }];
    inventory.apps = vec![ListedApp {
        id: text.to_owned(),
        name: text.to_owned(),
        access_key_id: text.to_owned(),
        place: text.to_owned(),
        known: false,
    }];
    Report {
        keys: vec![KeyReport {
            access_key_id: Some(text.to_owned()),
            grants: vec![text.to_owned()],
            state: text.to_owned(),
            ..key(text)
        }],
        older: vec![OlderKey {
            access_key_id: text.to_owned(),
            standing: text.to_owned(),
            because: vec![text.to_owned()],
            ..older(text)
        }],
        changes: vec![Change::new(text, text)],
        kept: vec![Change::new(text, text)],
        problems: vec![Problem::new(text, text, text)],
        notes: vec![Problem::new(text, text, text)],
        findings,
        inventory: Some(inventory),
        report_file: Some(text.to_owned()),
        ..report()
    }
}

/// Each alone, and each before each other.
fn hostile() -> Vec<String> {
    let pairs = HOSTILE
        .iter()
        .flat_map(|first| HOSTILE.iter().map(move |second| format!("{first}{second}")));
    HOSTILE
        .iter()
        .map(|text| (*text).to_owned())
        .chain(pairs)
        .collect()
}

#[test]
fn no_text_from_outside_makes_an_element_or_ends_one() {
    let plain = elements(&rendered(&summary(&soaked("plain"))));
    for text in hostile() {
        let html = rendered(&summary(&soaked(&text)));
        assert_eq!(elements(&html), plain, "{text:?} in\n{html}");
    }
}

#[test]
fn every_text_from_outside_is_shown_in_its_cell_as_it_is() {
    for text in HOSTILE {
        let shown = text.replace(
            |c: char| c.is_control() || matches!(c, '\u{202E}' | '\u{2028}'),
            " ",
        );
        let cells = cells(&rendered(&summary(&soaked(text))));
        let whole = cells.iter().filter(|cell| cell.trim() == shown.trim()).count();
        let plain = rendered(&summary(&soaked("plain")))
            .matches("<td>plain</td>")
            .count();
        assert_eq!(whole, plain, "{text:?} in {cells:#?}");
    }
}

#[test]
fn no_line_of_the_page_is_a_workflow_command() {
    for text in HOSTILE {
        let page = summary(&soaked(text));
        let command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
        assert_eq!(page.lines().find(command), None, "{text:?}");
    }
}

#[test]
fn the_chart_is_the_only_code_and_ends_where_it_should() {
    for text in HOSTILE {
        let page = summary(&soaked(text));
        assert_eq!(page.matches("```").count(), 2, "{text:?} in\n{page}");
        assert_eq!(elements(&rendered(&page)).get("pre"), Some(&1));
    }
}

#[test]
fn every_line_of_the_chart_is_one_that_we_have_written() {
    let ours = [
        "gantt",
        "accTitle: ",
        "accDescr: ",
        "dateFormat ",
        "axisFormat ",
        "section ",
        "key ",
    ];
    let harmless = |c: char| c.is_ascii_alphanumeric() || " -_:,.%".contains(c);
    for text in hostile() {
        let page = summary(&soaked(&text));
        let chart = page
            .split("```")
            .nth(1)
            .expect("a chart")
            .trim_start_matches("mermaid");
        for line in chart.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let is_ours = ours.iter().any(|start| line.starts_with(start));
            assert!(is_ours && line.chars().all(harmless), "{line:?} of {text:?}");
            assert!(
                !line.starts_with("key ") || line.matches(':').count() == 3,
                "{line:?}"
            );
        }
    }
}

#[test]
fn the_page_of_a_large_account_stays_below_the_limit_of_github() {
    let long = "n".repeat(300);
    let family = |number: usize| format!("family-{number}-{long}");
    let many_findings =
        (0..1_000).map(|number| finding(&LOGGING_OFF, &format!("bucket {number} {}", "|".repeat(1_000))));
    let mut listed = inventory();
    listed.keys = (0..500)
        .map(|number| listed_key("DO00X", &family(number), Vec::new()))
        .collect();
    let large = Report {
        keys: (0..500).map(|number| key(&family(number))).collect(),
        older: (0..500).map(|number| older(&family(number))).collect(),
        findings: many_findings.collect(),
        inventory: Some(listed),
        report_file: Some("out/report.json".to_owned()),
        ..report()
    };
    let page = summary(&large);
    assert!(page.len() <= 1024 * 1024, "{} bytes", page.len());
    assert!(page.contains(
        "rows are left out, because GitHub shows at most 1 MiB a step. All are in out/report.json."
    ));
    assert!(page.contains("DO00OLDER") && page.contains("old-things") && page.contains("Left as it is"));
    let html = rendered(&page);
    assert_eq!(
        html.matches("<details>").count(),
        html.matches("</details>").count()
    );
    assert_eq!(elements(&html).get("pre"), Some(&1));
}

#[test]
fn the_chart_of_hundreds_of_families_is_one_that_mermaid_takes() {
    let many = Report {
        keys: (0..500).map(|number| key(&format!("family-{number}"))).collect(),
        older: (0..500)
            .flat_map(|number| vec![older(&format!("family-{number}")); 9])
            .collect(),
        ..report()
    };
    let page = summary(&many);
    let chart = page.split("```").nth(1).expect("a chart");
    assert!(chart.len() < 50_000, "{} characters", chart.len());
    assert_eq!(chart.matches("section ").count(), 20);
}

#[test]
fn a_bootstrap_with_a_problem_reads_like_this() {
    insta::assert_snapshot!(summary(&report()));
}

#[test]
fn a_first_bootstrap_with_findings_reads_like_this() {
    let first = Report {
        older: vec![],
        problems: vec![],
        findings: vec![finding(&APP_PINNED, "app shop")],
        ..report()
    };
    insta::assert_snapshot!(summary(&first));
}

#[test]
fn a_check_that_found_nothing_reads_like_this() {
    insta::assert_snapshot!(summary(&checked(vec![])));
}

#[test]
fn a_check_with_ten_findings_reads_like_this() {
    insta::assert_snapshot!(summary(&checked(findings())));
}

#[test]
fn an_audit_reads_like_this() {
    insta::assert_snapshot!(summary(&audited()));
}

#[test]
fn findings_that_do_not_fail_the_run_are_no_failure() {
    let lenient = Report {
        fail_on: None,
        ..checked(findings())
    };
    assert!(summary(&lenient).starts_with("## ⚠️ Spacekeeper check: 5 errors, 4 warnings, 1 notice\n"));
}

#[test]
fn a_quiet_run_is_short() {
    let quiet = Report {
        changes: vec![],
        problems: vec![],
        keys: vec![],
        older: vec![],
        kept: vec![],
        ..report()
    };
    assert_eq!(
        summary(&quiet),
        "## ✅ Spacekeeper bootstrap: nothing to change\n\n"
    );
}
