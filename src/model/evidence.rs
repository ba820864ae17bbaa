//! What only `check` reads, beside what every command observes. No secret passes here.

use super::bucket::BucketName;
use super::cors::CorsQuestion;
use super::key::{AccessKeyId, Permission};
use super::name::Family;
use super::observed::Reading;
use super::problem::Problem;
use super::sink::{SettingName, Target};

/// What was tried out and looked up on top of the observation.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What the credentials at hand opened.
    pub trials: Vec<Trial>,
    /// What browsers of the declared origins are told.
    pub preflights: Vec<Preflight>,
    /// Secrets of environments that hide those of their repository; a problem per repository or environment that could
    /// not be looked at.
    pub shadows: Vec<Reading<Shadow>>,
    /// What could not be looked at for lack of a permission that nothing else needs.
    pub unseen: Vec<Problem>,
    /// What the app spec file asks for and the job does not have.
    pub placeholders: Vec<Placeholder>,
    /// What else could not be read.
    pub unread: Vec<Problem>,
}

/// One pair of credentials that was tried out.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Where it came from, as people call it: `access-key and secret-key`.
    pub source: String,
    /// Its access key id.
    pub id: AccessKeyId,
    /// The family that it should belong to, where one is declared.
    pub family: Option<Family>,
    /// What each bucket answered.
    pub answers: Vec<Answer>,
}

/// What one bucket answered to a pair of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The bucket.
    pub bucket: BucketName,
    /// What the pair should be able to do there, where that is declared.
    pub wanted: Option<Permission>,
    /// How it answered.
    pub opening: Reading<Opening>,
}

/// How a bucket answers to a pair of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It opens.
    Open {
        /// Whether the pair can write; nothing where nobody tried.
        writable: Option<bool>,
    },
    /// Spaces does not know the id.
    UnknownKey,
    /// Spaces knows the id, and the secret belongs to another one.
    Torn,
    /// The pair is right and may not open this bucket.
    Denied,
    /// There is no such bucket.
    NoBucket,
}

/// What a browser of one origin is told about one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// The bucket.
    pub bucket: BucketName,
    /// What it asked.
    pub asked: CorsQuestion,
    /// Whether it may.
    pub allowed: Reading<bool>,
}

/// A secret of an environment that jobs see instead of the repository's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// The environment.
    pub target: Target,
    /// The secret.
    pub name: SettingName,
}

/// A `${VAR}` of an app spec file that nothing provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// The variable.
    pub name: String,
}
