//! Spaces keys: `/v2/spaces/keys`.

use http::Method;
use secrecy::SecretString;

use super::super::failure::{Failure, FailureKind, Service, WriteFailure};
use super::super::transport::Reply;
use super::wire::{self, BadKey, KeyReply, MintReply};
use super::{Call, DigitalOcean, segment};
use crate::model::key::{AccessKeyId, ListedGrant, SpacesKey};
use crate::scrub;

const KEYS: &str = "/v2/spaces/keys";

const LIST: &str = "list Spaces keys";

/// The largest page that the API gives.
const PER_PAGE: usize = 200;

impl DigitalOcean {
    /// All keys of the account, each once, in the API's order.
    pub async fn list_keys(&self) -> Result<Vec<SpacesKey>, Failure> {
        let mut keys: Vec<SpacesKey> = Vec::new();
        for key in self.list(LIST, KEYS, PER_PAGE).await? {
            let key = readable(LIST, key)?;
            // A key that was minted meanwhile pushes another one onto the next page, where it shows again.
            if keys.iter().all(|known| known.id != key.id) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Mints a key. The secret is in the reply and never again, so a request that may have been carried out is not
    /// repeated; one that was not, because it came too early or found no server, is.
    ///
    /// `Refused`: nothing was minted. 403 `invalid grant` means that a granted bucket is missing or not yet visible, 412
    /// that it has a bucket policy. `Lost`: a key of this name may exist; list, and delete it.
    pub async fn mint(
        &self,
        name: &str,
        grants: &[ListedGrant],
    ) -> Result<(SpacesKey, SecretString), WriteFailure> {
        let subject = format!("mint Spaces key {name}");
        let call = Call::new(&subject, Method::POST, KEYS).with(wire::key_body(name, grants));
        let client = self.on_fresh_connections();
        let reply = self.attempts.run(|| client.write(&call)).await?;
        minted(&subject, &reply)
    }

    /// Renames a key. Its grants are sent along as they were listed, and name and grants are compared with the echo.
    ///
    /// `Malformed` with both sides shown when the echo differs: the key may have lost its grants.
    pub async fn rename(&self, key: &SpacesKey, name: &str) -> Result<SpacesKey, Failure> {
        let subject = format!("rename Spaces key {} to {name}", key.id);
        let body = wire::key_body(name, &key.grants);
        let call = Call::new(&subject, Method::PUT, key_path(&key.id)).with(body);
        let reply: KeyReply = self.ask(&call).await?;
        let renamed = readable(&subject, reply.key)?;
        check_echo(&subject, &renamed, name, &key.grants)?;
        Ok(renamed)
    }

    /// Empties the grants of a key and leaves the rest, which its owner can undo. The API documents an empty list as a
    /// key that may do nothing.
    ///
    /// `Malformed` when the echo still shows a grant: then the key still opens something.
    pub async fn empty_grants(&self, key: &SpacesKey) -> Result<SpacesKey, Failure> {
        let subject = format!("empty the grants of Spaces key {}", key.id);
        let body = wire::key_body(&key.name, &[]);
        let call = Call::new(&subject, Method::PUT, key_path(&key.id)).with(body);
        let reply: KeyReply = self.ask(&call).await?;
        let emptied = readable(&subject, reply.key)?;
        check_echo(&subject, &emptied, &key.name, &[])?;
        Ok(emptied)
    }

    /// Deletes a key, for good. A key that is gone already is a success.
    pub async fn delete_key(&self, id: &AccessKeyId) -> Result<(), Failure> {
        let subject = format!("delete Spaces key {id}");
        let call = Call::new(&subject, Method::DELETE, key_path(id));
        match self.attempts.run(|| self.reply(&call)).await {
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(()),
            answered => answered.map(|_| ()),
        }
    }
}

fn key_path(id: &AccessKeyId) -> String {
    format!("{KEYS}/{}", segment(id.as_str()))
}

fn readable(subject: &str, key: wire::Key) -> Result<SpacesKey, Failure> {
    key.try_into()
        .map_err(|error: BadKey| Failure::malformed(Service::DigitalOcean, subject, &error.to_string()))
}

/// Reads the reply that bears the secret. No word of the body, nor of what serde quotes of it, goes into the failure.
fn minted(subject: &str, reply: &Reply) -> Result<(SpacesKey, SecretString), WriteFailure> {
    let unreadable = || {
        let failure = Failure::malformed(Service::DigitalOcean, subject, "the new key cannot be read");
        WriteFailure::Lost(failure)
    };
    let parsed: MintReply = serde_json::from_slice(reply.body()).map_err(|_| unreadable())?;
    let minted = parsed.key.split().map_err(|_| unreadable())?;
    scrub::know(&minted.1);
    Ok(minted)
}

fn check_echo(subject: &str, echo: &SpacesKey, name: &str, grants: &[ListedGrant]) -> Result<(), Failure> {
    if echo.name == name && sorted(&echo.grants) == sorted(grants) {
        return Ok(());
    }
    let sent = described(name, grants);
    let got = described(&echo.name, &echo.grants);
    Err(Failure::malformed(
        Service::DigitalOcean,
        subject,
        &format!("sent {sent}, got back {got}"),
    ))
}

fn sorted(grants: &[ListedGrant]) -> Vec<&ListedGrant> {
    let mut sorted: Vec<_> = grants.iter().collect();
    sorted.sort();
    sorted.dedup();
    sorted
}

fn described(name: &str, grants: &[ListedGrant]) -> String {
    let grants: Vec<_> = sorted(grants)
        .iter()
        .map(|g| format!("{}={}", g.bucket, g.permission))
        .collect();
    format!("{name} ({})", grants.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(bucket: &str, permission: &str) -> ListedGrant {
        ListedGrant {
            bucket: bucket.to_owned(),
            permission: permission.to_owned(),
        }
    }

    fn key(name: &str, grants: Vec<ListedGrant>) -> SpacesKey {
        let created_at = crate::model::time::Timestamp::from_unix(0);
        SpacesKey {
            id: AccessKeyId::new("DO00"),
            name: name.to_owned(),
            grants,
            created_at,
        }
    }

    #[test]
    fn an_echo_may_reorder_the_grants_but_not_lose_one() {
        let (a, b) = (grant("a", "read"), grant("b", "readwrite"));
        let sent = [a.clone(), b.clone()];
        assert!(check_echo("s", &key("n", vec![b, a.clone()]), "n", &sent).is_ok());
        let wiped = check_echo("s", &key("n", vec![a]), "n", &sent).expect_err("a grant is lost");
        assert_eq!(
            &*wiped.detail,
            "sent n (a=read, b=readwrite), got back n (a=read)"
        );
    }

    #[test]
    fn an_unreadable_mint_says_nothing_of_its_body() {
        let reply =
            Reply::new(r#"{"key":{"access_key":"DO00","secret_key":"s3cret","created_at":7}}"#.into());
        let Err(WriteFailure::Lost(failure)) = minted("mint", &reply) else {
            panic!("it cannot be read")
        };
        assert!(!format!("{failure} {failure:?}").contains("s3cret"));
    }
}
