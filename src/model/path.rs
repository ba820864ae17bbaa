//! Paths of files in the workspace, as people write them.

use std::fmt;
use std::path::{Component, Path};
use std::str::FromStr;

/// The path of a file within the workspace, in its shortest spelling: `./out//report.json` is `out/report.json`. Where
/// links in it lead is for the workspace to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkspacePath(String);

const OUTSIDE: &str = "it must be a path within the workspace, such as `out/report.json`, without `..` and not from the \
                       root: in this container the workspace is another folder than on the runner";

impl WorkspacePath {
    /// The path, with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkspacePath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains(char::is_control) {
            return Err("a path has no control character, such as a line break");
        }
        // Later steps take it for an escape, so they would look for another file.
        if text.contains('\\') {
            return Err("write `/` between folders");
        }
        let mut parts = Vec::new();
        for part in Path::new(text).components() {
            match part {
                Component::Normal(name) => parts.extend(name.to_str()),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(OUTSIDE),
            }
        }
        if parts.is_empty() || text.ends_with('/') || text.ends_with("/.") {
            return Err("it names a folder, not a file");
        }
        Ok(Self(parts.join("/")))
    }
}

impl AsRef<Path> for WorkspacePath {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(text: &str) -> Result<String, &'static str> {
        text.parse().map(|path: WorkspacePath| path.to_string())
    }

    #[test]
    fn a_path_is_told_in_its_shortest_spelling() {
        for text in ["out/a.json", "./out/a.json", "out//a.json", "out/./a.json"] {
            assert_eq!(spelt(text).as_deref(), Ok("out/a.json"), "{text}");
        }
        assert_eq!(spelt("a..b/..c").as_deref(), Ok("a..b/..c"));
    }

    #[test]
    fn what_leads_out_or_names_no_file_is_refused() {
        for text in [
            "..", "../a", "out/../a", "/a", "", ".", "./", "out/", "out/.", "a\\b", "a\0b", "a\nb",
        ] {
            assert!(spelt(text).is_err(), "{text:?}");
        }
    }
}
