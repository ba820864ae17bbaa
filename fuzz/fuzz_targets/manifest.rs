//! Any text is a manifest or is told what is wrong with it, at a line that exists.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spacekeeper::config::manifest::{Around, parse};
use spacekeeper::model::endpoint::SpacesUrl;

fuzz_target!(|text: &str| {
    let repository = "acme/shop".parse().ok();
    let around = Around {
        repository: repository.as_ref(),
        spaces_url: &SpacesUrl::new("https://{region}.digitaloceanspaces.com"),
    };
    match parse(text, &around) {
        Ok(manifested) => assert!(manifested.desired.buckets.len() <= 100),
        Err(flaws) => {
            assert!(!flaws.told.is_empty(), "a refusal has a reason");
            let lines = text.split('\n').count();
            for flaw in flaws.told {
                assert!((1..=lines).contains(&flaw.at.line), "{} of {lines} lines", flaw.at.line);
                let _shown = flaw.excerpt(text);
            }
        }
    }
});
