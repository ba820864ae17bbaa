//! Spaces keys: `/v2/spaces/keys`.

use http::Method;
use secrecy::SecretString;

use super::super::failure::{Failure, FailureKind, Service, WriteFailure};
use super::super::transport::Reply;
use super::wire::{self, KeyReply, MintReply};
use super::{Call, DigitalOcean, segment};
use crate::model::key::{AccessKeyId, ListedGrant, SpacesKey};
use crate::scrub;

const KEYS: &str = "/v2/spaces/keys";

/// The largest page that the API gives.
const PER_PAGE: usize = 200;

impl DigitalOcean {
    /// All keys of the account, each once, in the API's order.
    pub async fn list_keys(&self) -> Result<Vec<SpacesKey>, Failure> {
        let listed: Vec<wire::Key> = self.list("list Spaces keys", KEYS, PER_PAGE).await?;
        Ok(listed.into_iter().map(Into::into).collect())
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
        let attempt = || async { client.write(&call).await.map_err(unless_own) };
        let reply = self.attempts.run(attempt).await?;
        minted(&subject, &reply, name, grants)
    }

    /// Renames a key. Its grants are sent along as they were listed, and name and grants are compared with the echo.
    ///
    /// `Malformed` with both sides shown when the echo differs: the key may have lost its grants.
    pub async fn rename(&self, key: &SpacesKey, name: &str) -> Result<SpacesKey, Failure> {
        let subject = format!("rename Spaces key {} to {name}", key.id);
        let body = wire::key_body(name, &key.grants);
        let call = Call::new(&subject, Method::PUT, key_path(&key.id)).with(body);
        let reply: KeyReply = self.ask(&call).await?;
        let renamed = reply.key.into();
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
        let emptied = reply.key.into();
        check_echo(&subject, &emptied, &key.name, &[])?;
        Ok(emptied)
    }

    /// Deletes a key, for good. A key that is gone already is a success.
    pub async fn delete_key(&self, id: &AccessKeyId) -> Result<(), Failure> {
        let subject = format!("delete Spaces key {id}");
        let call = Call::new(&subject, Method::DELETE, key_path(id));
        match self.attempts.run(|| self.carry_out(&call)).await {
            Err(failure) if failure.is_absence() => Ok(()),
            answered => answered,
        }
    }
}

/// Only the service itself can say that it has minted nothing: what stands between may refuse what was done.
fn unless_own(failure: WriteFailure) -> WriteFailure {
    match failure {
        WriteFailure::Refused(failure) if failure.kind != FailureKind::Unavailable && !failure.own => {
            WriteFailure::Lost(failure)
        }
        failure => failure,
    }
}

fn key_path(id: &AccessKeyId) -> String {
    format!("{KEYS}/{}", segment(id.as_str()))
}

/// Reads the reply that bears the secret. No word of the body, nor of what serde quotes of it, goes into the failure.
fn minted(
    subject: &str,
    reply: &Reply,
    name: &str,
    grants: &[ListedGrant],
) -> Result<(SpacesKey, SecretString), WriteFailure> {
    let lost = |why: &str| WriteFailure::Lost(Failure::malformed(Service::DigitalOcean, subject, why));
    let parsed: Result<MintReply, _> = serde_json::from_slice(reply.body());
    let (key, secret) = parsed
        .map(|reply| reply.key.split())
        .map_err(|_| lost("the new key cannot be read"))?;
    scrub::know(&secret);
    // They are sent along on every rename: had the echo lost one, so would the key.
    match () {
        // Whosever it is, it is not the one that was asked for: that one is looked for by its name.
        () if key.name != name => Err(lost("the key of the reply has another name than was asked for")),
        () if sorted(&key.grants) != sorted(grants) => {
            Err(lost("the new key has other grants than were asked for"))
        }
        () => Ok((key, secret)),
    }
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
        let Err(WriteFailure::Lost(failure)) = minted("mint", &reply, "n", &[]) else {
            panic!("it cannot be read")
        };
        assert!(!format!("{failure} {failure:?}").contains("s3cret"));
    }

    #[test]
    fn a_mint_counts_only_with_an_id_a_secret_and_the_grants_that_were_asked_for() {
        let minted = |id: &str, secret: &str, grants: serde_json::Value| {
            let key = serde_json::json!({
                "access_key": id, "secret_key": secret, "name": "n", "grants": grants,
                "created_at": "2026-01-02T03:04:05Z",
            });
            let reply = Reply::new(serde_json::json!({ "key": key }).to_string().into());
            minted("mint", &reply, "n", &[grant("a", "read")])
        };
        let asked = serde_json::json!([{ "bucket": "a", "permission": "read" }]);
        let secret = "0123456789abcdef";
        assert!(minted("DO00", secret, asked.clone()).is_ok());
        assert!(minted("..", secret, asked.clone()).is_err());
        assert!(minted("DO00\n", secret, asked.clone()).is_err());
        assert!(minted("DO00", "x", asked).is_err());
        assert!(minted("DO00", secret, serde_json::json!([])).is_err());
        assert!(minted("DO00", secret, serde_json::json!(null)).is_err());
    }

    #[test]
    fn a_reply_about_another_key_is_no_mint() {
        let key = serde_json::json!({
            "access_key": "DO00", "secret_key": "0123456789abcdefghij", "name": "the one that serves", "grants": [],
            "created_at": "2026-01-02T03:04:05Z",
        });
        let reply = Reply::new(serde_json::json!({ "key": key }).to_string().into());
        assert!(matches!(
            minted("mint", &reply, "n", &[]),
            Err(WriteFailure::Lost(_))
        ));
    }
}
