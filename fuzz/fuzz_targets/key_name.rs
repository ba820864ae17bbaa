//! Any text is a key's name or is not; one that is comes out as it went in, and so do its other marks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spacekeeper::model::name::{KeyName, Mark};
use spacekeeper::model::time::Timestamp;

fuzz_target!(|text: &str| {
    let Some(name) = KeyName::parse(text) else {
        return;
    };
    assert_eq!(name.to_string(), text);
    assert!(text.len() <= KeyName::MAX_LEN);
    let since = Timestamp::from_unix(1_700_000_000);
    for mark in [Mark::Pending, Mark::Delivering, Mark::Active { since }, Mark::Admin] {
        let marked = name.marked(mark);
        assert_eq!(KeyName::parse(&marked.to_string()), Some(marked));
    }
});
