//! The `${VAR}` of an app spec file, as `digitalocean/app_action` fills them in.

use std::collections::BTreeSet;

use super::evidence::Placeholder;

/// Variables that App Platform itself fills in for the app as a whole (its how-to on environment variables).
const APP_WIDE: [&str; 4] = ["APP_DOMAIN", "APP_ID", "APP_NAME", "APP_URL"];

/// Every placeholder that `app_action` would replace by an empty text, because none of `provided` is called so.
///
/// `app_action` expands the whole file with Go's `os.Expand`: `$VAR` and `${VAR}`. It leaves those that App Platform fills
/// in: names with a dot (`${db.DATABASE_URL}`) and the app-wide ones.
#[must_use]
pub fn unset(file: &str, text: &str, provided: &BTreeSet<String>) -> Vec<Placeholder> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for name in names(line) {
            let filled = provided.contains(name) || APP_WIDE.contains(&name) || name.contains('.');
            if !filled && seen.insert(name.to_owned()) {
                found.push(Placeholder {
                    file: file.to_owned(),
                    line: number + 1,
                    name: name.to_owned(),
                });
            }
        }
    }
    found
}

/// The variables that a line names.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split('$').skip(1).filter_map(name)
}

/// The name at the start of what follows a `$`.
fn name(rest: &str) -> Option<&str> {
    let name = if let Some(braced) = rest.strip_prefix('{') {
        braced.split_once('}')?.0.trim()
    } else {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        &rest[..end.unwrap_or(rest.len())]
    };
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts_well.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unset_in(text: &str) -> Vec<(usize, String)> {
        let provided = BTreeSet::from(["SPACES_ACCESS_KEY".to_owned()]);
        let found = unset("app.yaml", text, &provided);
        found.into_iter().map(|one| (one.line, one.name)).collect()
    }

    #[test]
    fn what_nobody_provides_is_found_once_with_its_line() {
        let text = "a: ${SPACES_ACCESS_KEY}\nb: ${SPACES_SECRET_KEY}\nc: $SPACES_SECRET_KEY and $OTHER-1\n";
        assert_eq!(
            unset_in(text),
            [(2, "SPACES_SECRET_KEY".to_owned()), (3, "OTHER".to_owned())]
        );
    }

    #[test]
    fn what_the_platform_fills_in_is_left_to_it() {
        assert!(unset_in("${APP_URL} ${db.DATABASE_URL} ${_self.PRIVATE_URL} $ 5$ ${ ${} $1").is_empty());
    }
}
