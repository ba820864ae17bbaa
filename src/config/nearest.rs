//! The name that was meant.

/// The name that was probably meant: the only one that it begins, abbreviates or goes on from, or one that differs in a
/// few letters, hyphens aside. Nothing where that could be several.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let known: Vec<&str> = known.collect();
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut fitting = known.iter().copied().filter(|known| fits(known));
        fitting.next().filter(|_| fitting.next().is_none())
    };
    only(&|known| begins(&name, known))
        .or_else(|| only(&|known| abbreviates(&name, known)))
        .or_else(|| misspelt(&name, &known))
        .or_else(|| only(&|known| goes_on(&name, known)))
}

/// `dry` for `dry-run`. Fewer letters begin too many names.
fn begins(name: &str, known: &str) -> bool {
    name.len() >= 3 && known.starts_with(name)
}

/// `do-token` for `digitalocean-token`: word for word the same letters in their order, some of them left out.
fn abbreviates(name: &str, known: &str) -> bool {
    let is_short_for = |short: &str, long: &str| {
        let mut letters = long.chars();
        let first = short.chars().next() == long.chars().next();
        first && short.len() >= 2 && short.chars().all(|letter| letters.any(|other| other == letter))
    };
    let words = || name.split('-').zip(known.split('-'));
    name.split('-').count() == known.split('-').count()
        && words().any(|(short, long)| short == long)
        && words().all(|(short, long)| is_short_for(short, long))
}

/// `log-buckt` for `log-bucket`, `dryrun` for `dry-run`: at most one letter in three is another.
fn misspelt<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let bare = |text: &str| text.replace('-', "");
    let distance = |known: &&'n str| (strsim::osa_distance(&bare(known), &bare(name)), *known);
    let nearest = known.iter().map(distance).min();
    nearest
        .filter(|(distance, known)| distance * 3 <= known.len())
        .map(|(_, known)| known)
}

/// `app-name` for `app`.
fn goes_on(name: &str, known: &str) -> bool {
    let rest = name.strip_prefix(known);
    rest.is_some_and(|rest| rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::INPUTS;

    #[test]
    fn the_nearest_name_is_one_that_could_be_meant() {
        for (name, meant) in [
            ("log-buckt", Some("log-bucket")),
            ("LOG_BUCKET", Some("log-bucket")),
            ("dry", Some("dry-run")),
            ("dryrun", Some("dry-run")),
            ("app-name", Some("app")),
            ("do-token", Some("digitalocean-token")),
            ("gh-token", Some("github-token")),
            ("bucket", Some("buckets")),
            ("region-name", Some("region")),
            ("log-", None),
            ("website", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, INPUTS.iter().copied()), meant, "{name}");
        }
        let commands = ["bootstrap", "rotate", "revoke", "check", "audit"];
        assert_eq!(nearest("rotat", commands.into_iter()), Some("rotate"));
        assert_eq!(nearest("boot", commands.into_iter()), Some("bootstrap"));
        assert_eq!(nearest("chekc", commands.into_iter()), Some("check"));
        assert_eq!(nearest("delete", commands.into_iter()), None);
    }
}
