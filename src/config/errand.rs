//! What is asked of the keys: the command, and the inputs that only some commands heed.

use super::access::Access;
use super::defaults;
use super::door::Door;
use super::inputs::RawInputs;
use super::nearest::nearest;
use super::values::{is_plain_word, key_id, switch};
use crate::model::intent::{Intent, Means, Revocation};
use crate::model::key::AccessKeyId;

/// The jobs that this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Makes the world match the request.
    Bootstrap,
    /// Replaces keys that are due, and takes old ones out of service.
    Rotate,
    /// Replaces a compromised key and takes it out of service at once.
    Revoke,
    /// Compares the world with the request and tries the job's own credentials.
    Check,
    /// Lists what the account holds, and what is wrong with it.
    Audit,
}

impl Command {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::Bootstrap,
        Self::Rotate,
        Self::Revoke,
        Self::Check,
        Self::Audit,
    ];

    /// The command of that word; the refusal quotes it only where it cannot be a secret that was put there by mistake.
    pub fn of_word(word: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|command| command.word() == word);
        known.ok_or_else(|| {
            let words = Self::ALL.map(Self::word);
            let meant = nearest(word, words.into_iter());
            let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
            let shown = if is_plain_word(word) {
                format!("`{word}`")
            } else {
                "the word (not shown here)".to_owned()
            };
            format!(
                "{shown} is no command; this version knows `{}`{meant}",
                words.join("`, `")
            )
        })
    }

    /// The word of the input.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Rotate => "rotate",
            Self::Revoke => "revoke",
            Self::Check => "check",
            Self::Audit => "audit",
        }
    }

    /// Whether it only looks.
    #[must_use]
    pub const fn only_looks(self) -> bool {
        matches!(self, Self::Check | Self::Audit)
    }

    /// Whether buckets are left as they are.
    #[must_use]
    pub const fn is_about_keys_only(self) -> bool {
        matches!(self, Self::Rotate | Self::Revoke)
    }
}

/// The command with what belongs to it.
pub(super) struct Errand {
    pub(super) command: Command,
    pub(super) intent: Intent,
    pub(super) adopted: Option<AccessKeyId>,
}

impl Errand {
    pub(super) fn read(raw: &RawInputs, access: &Access, door: &mut Door) -> Option<Self> {
        let command = command(raw, door);
        let force = door.parse("force", raw.force.as_deref().or(Some(defaults::FORCE)), switch);
        let quarantine = door.parse(
            "quarantine",
            raw.quarantine.as_deref().or(Some(defaults::QUARANTINE)),
            switch,
        );
        let adopted = id("adopt-access-key-id", raw.adopt_access_key_id.as_deref(), door);
        let key = id("revoke-access-key-id", raw.revoke_access_key_id.as_deref(), door);
        let (command, force, quarantine) = (command?, force?, quarantine?);
        refuse_what_does_not_fit(raw, command, force, quarantine, door);
        refuse_the_pair_in_use(adopted.as_ref(), access, door);
        let means = if quarantine {
            Means::Quarantine
        } else {
            Means::Delete
        };
        let intent = match command {
            Command::Bootstrap | Command::Check | Command::Audit => Intent::Bootstrap,
            Command::Rotate => Intent::Rotate { force },
            Command::Revoke => Intent::Revoke(Revocation { key, means }),
        };
        Some(Self {
            command,
            intent,
            adopted,
        })
    }
}

fn command(raw: &RawInputs, door: &mut Door) -> Option<Command> {
    let word = raw.command.as_deref().unwrap_or(defaults::COMMAND).trim();
    let command = Command::of_word(word);
    command.map_err(|refusal| door.refuse("command", refusal)).ok()
}

/// The id is not quoted: what was pasted there by mistake may be the secret.
fn id(input: &str, text: Option<&str>, door: &mut Door) -> Option<AccessKeyId> {
    match key_id(text?) {
        Ok(id) => Some(id),
        Err(refusal) => {
            door.refuse(input, refusal);
            None
        }
    }
}

/// Who believes that a key was revoked must not be mistaken: what a command would not do is refused. `force` asks for
/// nothing that is dangerous to leave undone.
fn refuse_what_does_not_fit(
    raw: &RawInputs,
    command: Command,
    force: bool,
    quarantine: bool,
    door: &mut Door,
) {
    let misplaced = [
        ("revoke-access-key-id", raw.revoke_access_key_id.is_some()),
        ("quarantine", quarantine),
    ];
    for (input, _) in misplaced
        .iter()
        .filter(|(_, given)| *given && command != Command::Revoke)
    {
        door.refuse(input, "only command: revoke takes a key out of service at once");
    }
    if force && command != Command::Rotate {
        door.warnings
            .push(format!("force is heeded by rotate, not by {}", command.word()));
    }
    if raw.inventory_file.is_some() && command != Command::Audit {
        let what = format!("inventory-file is written by audit, not by {}", command.word());
        door.warnings.push(what);
    }
    let keyless = raw.key_scope.as_deref().map(str::trim) == Some("none");
    if keyless && command.is_about_keys_only() {
        let what = format!("{} is about keys, and key-scope: none has none", command.word());
        door.refuse("command", what);
    }
    if keyless && raw.adopt_access_key_id.is_some() {
        door.refuse(
            "adopt-access-key-id",
            "key-scope: none has no key that could succeed it",
        );
    }
}

/// An adopted key is deleted in the end.
fn refuse_the_pair_in_use(adopted: Option<&AccessKeyId>, access: &Access, door: &mut Door) {
    let in_use = access.full_access.as_ref().map(|pair| &pair.id);
    if adopted.is_some() && adopted == in_use {
        let what =
            "it is the full-access key that this run works with, and an adopted key is deleted in the end";
        door.refuse("adopt-access-key-id", what);
    }
}
