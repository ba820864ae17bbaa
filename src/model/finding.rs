//! What `check` and `audit` find: rules with stable ids, and where they are broken.

use std::fmt;

use super::problem::Problem;

/// How bad a finding is. The order is that of the words of `fail-on`: a worse one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never a reason to stop.
    Notice,
    /// Something works today and will not, or is more open than it need be.
    Warning,
    /// Something does not work, or is about to break.
    Error,
}

impl Severity {
    /// The word for people and programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What may be found. Ids are never given away again: people silence and count findings by them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// `SK` and three digits.
    pub id: &'static str,
    /// A few words with hyphens, for those who cannot remember numbers.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means and why it matters, in whole sentences.
    pub meaning: &'static str,
    /// What to do about it, in whole sentences.
    pub cure: &'static str,
}

/// Declares the rules once: a constant for each, and the list of all of them.
macro_rules! rules {
    ($($constant:ident $id:literal $name:literal $severity:ident: $meaning:literal, $cure:literal;)+) => {
        $(
            #[doc = concat!("`", $id, "` ", $name, ": ", $meaning)]
            pub static $constant: Rule = Rule {
                id: $id,
                name: $name,
                severity: Severity::$severity,
                meaning: $meaning,
                cure: $cure,
            };
        )+

        /// Every rule, by id.
        pub static RULES: &[&Rule] = &[$(&$constant),+];
    };
}

rules! {
    KEY_MISSING "SK001" "key-missing" Error:
        "A key family has no key that was delivered: whatever reads its secrets has nothing that works, or \
         something that nobody looks after.",
        "Run bootstrap: it mints the key and delivers it.";
    KEY_INTERRUPTED "SK002" "key-interrupted" Error:
        "A run died while it delivered a key. Its values may stand in some places and not in others, and \
         nobody can read them back.",
        "Run bootstrap or rotate: a new key is minted and delivered to every place.";
    GRANTS_DIFFER "SK003" "grants-differ" Error:
        "The current key opens something else than the request says: too little breaks the app, too much is \
         what least privilege is there to prevent.",
        "Run bootstrap: it mints a key with the wanted grants and delivers it.";
    KEY_DUE "SK004" "key-due" Notice:
        "The current key may be replaced from now on. The next scheduled rotation does it.",
        "Nothing, if rotate runs at least daily.";
    KEY_LATE "SK005" "key-late" Warning:
        "A daily rotation would have replaced the current key by now: with its grace period it will outlive max-age. \
         Usually the scheduled rotation does not run.",
        "Run rotate, and check that its schedule runs at least daily: GitHub switches schedules off in repositories \
         without activity.";
    KEY_OVERDUE "SK006" "key-overdue" Error:
        "The current key is older than max-age.",
        "Run rotate, and check why it has not run.";
    KEYS_LEFT_OVER "SK007" "keys-left-over" Warning:
        "More than one key of a family no longer serves and still exists. Each opens the same buckets as the current one.",
        "Run rotate: it deletes what nothing holds any more, and says of the others what holds them.";
    ROTATION_UNDER_WAY "SK008" "rotation-under-way" Warning:
        "Another run is minting or delivering a key of this family right now, so that secrets may change under a \
         deployment.",
        "Wait for that run, then check again.";
    FULL_ACCESS_LEFT "SK009" "admin-key-left-over" Warning:
        "A short-lived full-access key of Spacekeeper is still there although the run that minted it is over.",
        "Run bootstrap: it sweeps such keys.";
    PROOF_SUPERSEDED "SK010" "credentials-superseded" Warning:
        "The credentials at hand belong to an older key of the family: they work until its grace is over, and \
         then no longer.",
        "Give the job the present secrets: run it again if it was queued before the rotation, deploy again if \
         an app holds them.";
    PROOF_REVOKED "SK011" "credentials-revoked" Error:
        "Spaces does not know the access key id at hand (any more).",
        "Give the job the present secrets. If they are the present ones, run bootstrap: it mints and delivers \
         a new key.";
    PROOF_TORN "SK012" "credentials-torn" Error:
        "The secret at hand does not belong to the access key id at hand: the two come from different keys.",
        "Run the job again: a rotation may have come between the two reads. If it stays, run bootstrap: it \
         delivers a new pair.";
    PROOF_FOREIGN "SK013" "credentials-foreign" Warning:
        "The credentials at hand work and belong to no key of the family, so nobody rotates them.",
        "Use the secrets that Spacekeeper writes, or adopt the key with adopt-access-key-id.";
    PROOF_DENIED "SK014" "credentials-denied" Error:
        "The credentials at hand do not open a bucket that they should open.",
        "Run bootstrap: it mints a key with the wanted grants. A bucket policy may deny it too.";
    PROOF_TOO_WIDE "SK015" "credentials-too-wide" Error:
        "The credentials at hand can write to a bucket that they should only read.",
        "Run bootstrap: it mints a key with the wanted grants.";
    SECRET_MISSING "SK020" "secret-missing" Error:
        "A secret that should hold the current key does not exist.",
        "Run bootstrap: it mints a key and delivers it to every place.";
    SECRET_TOUCHED "SK021" "secret-touched" Error:
        "A secret was written after the current key was delivered, by someone else. What it holds cannot be \
         read.",
        "Run bootstrap: it mints a key and delivers it. Find out who writes the secret.";
    SECRET_STALE "SK022" "secret-stale" Error:
        "A secret was last written before the current key was delivered, so it holds another one.",
        "Run bootstrap: it mints a key and delivers it to every place.";
    SECRET_SHADOWED "SK023" "secret-shadowed" Warning:
        "An environment has a secret of the same name, which jobs of that environment see instead of the \
         repository's.",
        "Delete the environment's secret, or deliver to the environment too (github-environment).";
    VARIABLE_MISSING "SK024" "variable-missing" Warning:
        "A variable that should say which key, or where, does not exist.",
        "Run bootstrap: it writes the variable.";
    VARIABLE_DIFFERS "SK025" "variable-differs" Error:
        "A variable names another key or another place than the current one.",
        "Run bootstrap: it corrects the variable, or delivers a new key where another one is named.";
    NOT_OURS "SK026" "not-ours" Error:
        "Secrets, variables or app entries of the names that a key would be delivered under exist already, and are \
         not of that key's family. Nobody can read a secret back, so a run leaves them alone, mints nothing and fails.",
        "Give adopt-access-key-id with the key that they hold, or overwrite: true; or choose other names.";
    VARIABLE_LEFT_OVER "SK027" "variable-left-over" Notice:
        "A variable or an app entry of an earlier request names a CDN endpoint that the present request does not ask for, so \
         nobody looks after it.",
        "Ask for the CDN again, or remove the variable when nothing reads it.";
    APP_ENV_DIFFERS "SK030" "app-env-differs" Error:
        "The app's spec does not hold the current key where it should.",
        "Run bootstrap: it mints a key and gives it to the app.";
    APP_ENV_EXPOSED "SK031" "app-env-exposed" Error:
        "A variable of the app that holds a secret is not of type SECRET, so everybody who reads the spec \
         reads the secret.",
        "Run bootstrap: it mints a key and stores it as SECRET. Treat the present one as leaked.";
    APP_PLACE_DIFFERS "SK032" "app-place-differs" Warning:
        "A variable of the app that says where the bucket is is missing or says something else.",
        "Run bootstrap: it corrects the variable and deploys.";
    APP_ENV_SHADOWED "SK033" "app-env-shadowed" Warning:
        "A component has a variable of its own that hides the app's.",
        "List the component in app-components, or remove the variable from it.";
    APP_PINNED "SK034" "app-pinned" Warning:
        "A rollback has pinned the app to an older deployment, so no new key reaches it.",
        "Commit or revert the rollback in the control panel.";
    DEPLOYMENT_IN_FLIGHT "SK035" "deployment-in-flight" Warning:
        "A deployment of the app is under way. What is checked now may be replaced in a minute.",
        "Wait for the deployment, then check again.";
    NOT_DEPLOYED "SK036" "not-deployed" Error:
        "The app's spec names the current key, and what serves does not carry it.",
        "Run bootstrap: it deploys the spec again. Look at the last deployment if it failed.";
    PLACEHOLDER_UNSET "SK037" "placeholder-unset" Error:
        "The app spec file asks for an environment variable that this job does not have; app_action would \
         deploy an empty text in its place.",
        "Pass the variable to the step (env), or take the placeholder out of the file.";
    BUCKET_MISSING "SK040" "bucket-missing" Error:
        "A bucket does not exist.",
        "Run bootstrap: it makes the bucket.";
    BUCKET_NOT_OURS "SK041" "bucket-not-ours" Error:
        "A bucket of this name exists and this account may not touch it.",
        "Choose another name, or supply a full-access key of the account that owns it.";
    BUCKET_ELSEWHERE "SK042" "bucket-elsewhere" Error:
        "The bucket exists in another region. A bucket cannot move.",
        "Set the region in which it lives, or choose another name.";
    BUCKET_POLICY "SK043" "bucket-policy" Error:
        "The bucket has a policy. Spaces gives no scoped key to a bucket with a policy, and takes no policy \
         for a bucket with a scoped key.",
        "Remove the policy (DeleteBucketPolicy), or take the bucket out of the request.";
    LOGGING_DIFFERS "SK044" "logging-differs" Warning:
        "The access logs of the bucket do not go where they should.",
        "Run bootstrap: it sets the logging.";
    LIFECYCLE_DIFFERS "SK045" "lifecycle-differs" Warning:
        "A lifecycle rule that was asked for is missing or differs.",
        "Run bootstrap: it sets the rule and leaves all others as they are.";
    CORS_DIFFERS "SK046" "cors-differs" Warning:
        "The CORS rules of the bucket are not those that were asked for.",
        "Run bootstrap: it sets the rules.";
    CORS_REFUSED "SK047" "cors-refused" Error:
        "Spaces answers a browser's preflight request from a declared origin with a refusal, so pages of that \
         origin cannot use the bucket.",
        "Run bootstrap; new rules take a minute or two. If it stays, compare the origin letter by letter, \
         scheme and port included.";
    VERSIONING_DIFFERS "SK048" "versioning-differs" Warning:
        "The versioning of the bucket is not what was asked for.",
        "Run bootstrap: it sets the versioning.";
    ACL_DIFFERS "SK049" "acl-differs" Warning:
        "The ACL of the bucket is not what was asked for.",
        "Run bootstrap: it sets the ACL.";
    CDN_DIFFERS "SK050" "cdn-differs" Warning:
        "The CDN endpoint of the bucket is missing, or has other settings than those asked for.",
        "Run bootstrap: it makes or changes the endpoint.";
    LISTING_PUBLIC "SK051" "listing-public" Warning:
        "Everybody can list the names of the bucket's objects.",
        "Set the ACL to private, or declare acl: public-read if it is meant.";
    FULL_ACCESS_STANDING "SK060" "full-access-standing" Warning:
        "A key opens every bucket of the account with every call, and nobody rotates it.",
        "Replace it by scoped keys, one per app; Spacekeeper mints a short-lived one for itself.";
    KEY_STALE "SK061" "key-stale" Warning:
        "A key is older than max-age.",
        "Rotate it: adopt it with adopt-access-key-id, or delete it if nobody uses it.";
    GRANT_WITHOUT_BUCKET "SK062" "grant-without-bucket" Warning:
        "A key opens a bucket that the account does not have. Whoever makes a bucket of that name makes it \
         open to the key.",
        "Delete the key, or give it grants on buckets that exist.";
    KEY_WIDER_THAN_ASKED "SK063" "key-wider-than-asked" Warning:
        "A key of a declared family opens more than the request asks for.",
        "Run bootstrap: it mints a key with the wanted grants, and the wide one goes after its grace.";
    LOGGING_OFF "SK064" "logging-off" Warning:
        "The accesses to a bucket are logged nowhere.",
        "Set a log bucket (log-bucket, or logging in the manifest); or declare logging: off if it is meant.";
    POLICY_PRESENT "SK065" "policy-present" Notice:
        "A bucket has a policy, so no scoped key can open it.",
        "Nothing, if it is meant; else remove the policy (DeleteBucketPolicy).";
    APP_HOLDS_UNKNOWN_KEY "SK066" "app-holds-unknown-key" Error:
        "An app names a Spaces key in its spec that the account does not have (any more).",
        "Give the app a key: run bootstrap with app-platform-app, or correct the variable.";
    KEYS_NEARLY_FULL "SK067" "keys-nearly-full" Warning:
        "The account holds nearly as many keys as it may. A rotation needs a free place.",
        "Delete keys that nobody uses, or ask DigitalOcean's support for a higher limit.";
    BUCKETS_NEARLY_FULL "SK068" "buckets-nearly-full" Warning:
        "The account holds nearly as many buckets as it may.",
        "Delete buckets that nobody uses, or ask DigitalOcean's support for a higher limit.";
    KEY_UNFINISHED "SK069" "key-unfinished" Warning:
        "A run has left a key that was never delivered to its end.",
        "Run bootstrap or rotate with the request of this family: it clears up.";
    KEY_OPENS_NOTHING "SK070" "key-opens-nothing" Notice:
        "A key has no grants, so it opens nothing.",
        "Delete it, unless it is in quarantine.";
    BUCKET_UNDECLARED "SK071" "bucket-undeclared" Notice:
        "A bucket is declared nowhere in the request at hand, so Spacekeeper does not look after it.",
        "Nothing, if it is meant; else declare it.";
    KEY_UNHELD "SK072" "key-unheld" Warning:
        "The current key of a declared family is named by no id variable and by no app, although all of the family's places \
         could be read: it opens its buckets, and nothing that can be seen needs it.",
        "Run bootstrap with the request of this family if it is still needed; else adopt the key into the family that has \
         taken its place (adopt-access-key-id), or delete it.";
    KEY_HOLDER_UNSEEN "SK073" "key-holder-unseen" Notice:
        "The current key of a family that the request at hand does not declare is named by no app. Which repository holds it, \
         only its own request says.",
        "Audit with the manifest that declares it. If nobody declares it any more, adopt it (adopt-access-key-id) or delete it.";
    FAMILY_NOT_ROTATED "SK074" "family-not-rotated" Warning:
        "A key family of Spacekeeper's was not rotated within max-age: its scheduled rotation does not run, or its request is \
         gone.",
        "Run rotate with the request of this family, and check that its schedule runs at least daily.";
    KEYS_PILE_UP "SK075" "keys-pile-up" Error:
        "More than five keys of a family no longer serve and still exist. Each opens the same buckets as the current one, and \
         they fill the account. Either keys are replaced faster than they may go, since something that they are delivered to \
         is overwritten again and again; or something holds them.",
        "Stop what overwrites the named secret, variable or app entry: the audit log of a GitHub organization tells who \
         writes a secret. Deal with what holds the oldest key, then run rotate.";
    UNKNOWN "SK090" "unknown" Warning:
        "Something could not be read, so nobody knows whether it is right.",
        "Give the token the permission that is named, or mend what kept it from being read.";
    NOT_ALLOWED_TO_LOOK "SK091" "not-allowed-to-look" Notice:
        "Something that is worth checking could not be looked at, because the token lacks a permission that nothing else \
         needs. Nobody knows whether it is right.",
        "Give the token the permission that is named, if it matters.";
}

/// A rule that is broken somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// What it is about: `bucket shop-uploads`, `secrets of acme/shop`.
    pub subject: String,
    /// What was found, a sentence without a full stop.
    pub what: String,
    /// What to do about it here, a sentence.
    pub remedy: String,
    /// The line of the workspace that is wrong, where it is one.
    pub place: Option<Place>,
}

/// A line of a file in the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file's path within the workspace.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// The column, counted from one, where it is known.
    pub column: Option<usize>,
}

impl Finding {
    /// A finding with the remedy of its rule.
    #[must_use]
    pub fn new(rule: &'static Rule, subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            rule,
            subject: subject.into(),
            what: what.into(),
            remedy: rule.cure.to_owned(),
            place: None,
        }
    }

    /// The finding at a line of a file in the workspace.
    #[must_use]
    pub fn at(self, file: impl Into<String>, line: usize) -> Self {
        let file = file.into();
        Self {
            place: Some(Place {
                file,
                line,
                column: None,
            }),
            ..self
        }
    }

    /// What could not be read is not fine.
    #[must_use]
    pub fn unknown(problem: &Problem) -> Self {
        let Problem {
            subject,
            what,
            remedy,
        } = problem;
        Self::new(&UNKNOWN, subject, what).remedied(remedy)
    }

    /// The finding with a remedy that fits the case better than the rule's own.
    #[must_use]
    pub fn remedied(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: remedy.into(),
            ..self
        }
    }
}

/// Worst first, then by rule and subject; each finding once.
pub fn rank(findings: &mut Vec<Finding>) {
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| (finding.rule.id, finding.subject.clone(), finding.what.clone());
        let worse = other.rule.severity.cmp(&one.rule.severity);
        worse.then_with(|| key(one).cmp(&key(other)))
    });
    findings.dedup();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_and_names_are_unique_and_in_order() {
        let ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
        let sorted: BTreeSet<_> = ids.iter().copied().collect();
        assert_eq!(ids, sorted.into_iter().collect::<Vec<_>>());
        let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
    }

    #[test]
    fn the_worst_is_told_first_and_each_once() {
        let one = Finding::new(&KEY_DUE, "key a", "x");
        let other = Finding::new(&KEY_OVERDUE, "key b", "y");
        let mut findings = vec![one.clone(), other.clone(), one.clone()];
        rank(&mut findings);
        assert_eq!(findings, [other, one]);
    }
}
