//! Where this release is documented.

use super::sink::Repository;

/// The repository of the action, at the version that the workflow's step names: `uses: acme/spacekeeper@v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    address: String,
    version: String,
}

impl Home {
    /// The repository on a server such as `https://github.com`, at a commit, tag or branch.
    ///
    /// Nothing for a server or a version that could break out of a link: they are not worth an error of their own.
    #[must_use]
    pub fn new(server: &str, repository: &Repository, version: &str) -> Option<Self> {
        let plain = |text: &str, signs: &[char]| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || signs.contains(&c))
        };
        let host = server.strip_prefix("https://")?.trim_end_matches('/');
        let is_link = plain(host, &['.', '-', ':']) && plain(version, &['.', '-', '_', '/']);
        is_link.then(|| Self {
            address: format!("https://{host}/{repository}"),
            version: version.to_owned(),
        })
    }

    /// The address of the repository.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The address of a file at that version.
    #[must_use]
    pub fn file(&self, path: &str) -> String {
        format!("{}/blob/{}/{path}", self.address, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_holds_nothing_but_a_link() {
        let repository: Repository = "acme/spacekeeper".parse().expect("a repository");
        let home = |server: &str, version: &str| Home::new(server, &repository, version);
        let page = home("https://github.com", "v1").map(|home| home.file("README.md"));
        assert_eq!(
            page.as_deref(),
            Some("https://github.com/acme/spacekeeper/blob/v1/README.md")
        );
        assert_eq!(home("https://github.com", "v1) [x](https://evil.example"), None);
        assert_eq!(home("javascript:alert(1)", "v1"), None);
        assert_eq!(home("https://github.com", ""), None);
    }
}
