//! Secrets out of files, for those who have no environment to put them into.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::config::{InputProblem, LONGEST};

/// Reads the files that flags name. Standard input can be read once.
pub(super) struct SecretFiles<'a> {
    stdin: Option<&'a mut dyn Read>,
}

impl<'a> SecretFiles<'a> {
    /// Nothing has been read yet.
    pub(super) fn new(stdin: &'a mut dyn Read) -> Self {
        Self { stdin: Some(stdin) }
    }

    /// The text of a file, or of standard input for `-`, without the line break at its end.
    pub(super) fn read(&mut self, flag: &str, path: &str) -> Result<String, InputProblem> {
        let refused = |what: &str| InputProblem::of(flag, format!("{} {what}", named(path)));
        let read = match path {
            "" => return Err(InputProblem::of(flag, "it names no file")),
            "-" => {
                let stdin = self.stdin.take();
                bounded(stdin.ok_or_else(|| refused("was read already, for another flag"))?)
            }
            path if may_be_a_secret(path) => {
                let what =
                    "it names a file (what was given is not shown, because it looks like the secret itself)";
                return Err(InputProblem::of(flag, what));
            }
            path => File::open(path).and_then(bounded),
        };
        let bytes = read.map_err(|error| refused(&format!("cannot be read: {error}")))?;
        if bytes.len() > LONGEST {
            return Err(refused(
                "is longer than 48 KB, which is more than a secret can be",
            ));
        }
        let text = String::from_utf8(bytes).map_err(|_| refused("is not UTF-8"))?;
        let secret = text.strip_suffix('\n').unwrap_or(&text);
        let secret = secret.strip_suffix('\r').unwrap_or(secret);
        if secret.trim().is_empty() {
            return Err(refused("is empty"));
        }
        Ok(secret.to_owned())
    }
}

/// One byte more than is accepted shows that there is too much, whatever is behind it.
fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether somebody has written the secret where its file belongs: nothing of that name is there, and no path looks so.
fn may_be_a_secret(path: &str) -> bool {
    /// Shorter than any token, longer than most names.
    const SHORTEST: usize = 20;
    let looks_so = path.len() >= SHORTEST && !path.contains(['.', '/']) || path.contains('\n');
    looks_so && !Path::new(path).exists()
}

fn named(path: &str) -> String {
    if path == "-" {
        "standard input".to_owned()
    } else {
        format!("file {path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_read_once_and_loses_one_line_break() {
        let mut stdin: &[u8] = b"a secret \r\n";
        let mut files = SecretFiles::new(&mut stdin);
        assert_eq!(files.read("--github-token-file", "-").as_deref(), Ok("a secret "));
        let again = files.read("--secret-key-file", "-").expect_err("it is gone");
        assert_eq!(
            again.to_string(),
            "--secret-key-file: standard input was read already, for another flag"
        );
    }

    #[test]
    fn a_secret_in_the_place_of_its_file_is_not_shown() {
        let refused = SecretFiles::new(&mut io::empty()).read("--github-token-file", "ghp_0123456789abcdef");
        let refused = refused.expect_err("no such file").to_string();
        assert!(
            refused.contains("not shown") && !refused.contains("ghp_"),
            "{refused}"
        );
    }

    #[test]
    fn what_has_no_end_is_read_up_to_a_limit() {
        let mut endless = io::repeat(b'x');
        let refused = SecretFiles::new(&mut endless)
            .read("--secret-key-file", "-")
            .expect_err("too long");
        assert!(refused.what.contains("48 KB"), "{refused}");
    }
}
