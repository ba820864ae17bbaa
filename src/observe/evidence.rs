//! What only `check` reads: credentials tried out, preflights, environments, the app spec file. Nothing here writes.

use futures_util::future::join_all;

use crate::config::{PairAtHand, SpecFile};
use crate::model::bucket::BucketName;
use crate::model::cors::CorsQuestion;
use crate::model::evidence::{Answer, Placeholder, Preflight, Shadow, Trial};
use crate::model::key::Permission;
use crate::model::name::Family;
use crate::model::observed::Reading;
use crate::model::placeholder;
use crate::model::problem::Problem;
use crate::model::sink::{Repository, SettingName, Target};
use crate::remedy::problem;
use crate::remote::spaces::Browser;
use crate::remote::{GitHub, Spaces};

/// A pair that is to be tried, and where.
pub struct Candidate<'a> {
    /// The pair.
    pub pair: &'a PairAtHand,
    /// The family that it should belong to.
    pub family: Option<Family>,
    /// The buckets, each with a client of its region and what the pair should be able to do there.
    pub buckets: Vec<(BucketName, Option<Permission>, Spaces)>,
}

/// Tries a pair on all its buckets, side by side.
pub async fn trial(candidate: Candidate<'_>) -> Trial {
    let asked = candidate
        .buckets
        .into_iter()
        .map(|(bucket, wanted, spaces)| async move {
            let opening = spaces.try_out(&bucket, wanted).await;
            Answer {
                bucket,
                wanted,
                opening: opening.map_err(|failure| problem(&failure)),
            }
        });
    Trial {
        source: candidate.pair.source.clone(),
        id: candidate.pair.id.clone(),
        family: candidate.family,
        answers: join_all(asked).await,
    }
}

/// A question that a browser would ask.
pub struct Question {
    /// The bucket.
    pub bucket: BucketName,
    /// What it asks.
    pub asked: CorsQuestion,
    /// Who asks.
    pub browser: Browser,
}

/// Asks as browsers do, side by side.
pub async fn preflights(questions: Vec<Question>) -> Vec<Preflight> {
    let asked = questions.into_iter().map(|question| async move {
        let Question {
            bucket,
            asked,
            browser,
        } = question;
        let origin = example_of(&asked.origin);
        let allowed = browser.may(&bucket, &origin, asked.method.word()).await;
        Preflight {
            bucket,
            asked,
            allowed: allowed.map_err(|failure| problem(&failure)),
        }
    });
    join_all(asked).await
}

/// An origin that a declared one stands for: what a `*` matches is anything.
fn example_of(origin: &str) -> String {
    if origin == "*" {
        "https://spacekeeper.example".to_owned()
    } else {
        origin.replace('*', "spacekeeper")
    }
}

/// What became of the look at environments.
#[derive(Default)]
pub struct Shadows {
    /// What hides a secret of the repository, and what could not be read.
    pub found: Vec<Reading<Shadow>>,
    /// Repositories whose environments the token may not see.
    pub unseen: Vec<Problem>,
}

/// Looks for secrets of environments that hide those of their repository.
pub async fn shadows(github: &GitHub, wanted: &[(Repository, Vec<SettingName>)]) -> Shadows {
    let asked = wanted
        .iter()
        .map(|(repository, names)| of_repository(github, repository, names));
    let mut all = Shadows::default();
    for one in join_all(asked).await {
        all.found.extend(one.found);
        all.unseen.extend(one.unseen);
    }
    all
}

async fn of_repository(github: &GitHub, repository: &Repository, names: &[SettingName]) -> Shadows {
    let environments = match github.environments(repository).await {
        Ok(environments) => environments,
        Err(failure) if failure.is_hidden() => return unseen(format!("environments of {repository}")),
        Err(failure) => {
            return Shadows {
                found: vec![Err(problem(&failure))],
                unseen: Vec::new(),
            };
        }
    };
    let asked = environments.into_iter().map(|environment| {
        let target = Target {
            repository: repository.clone(),
            environment: Some(environment),
        };
        of_environment(github, target, names)
    });
    let mut all = Shadows::default();
    for one in join_all(asked).await {
        all.found.extend(one.found);
        all.unseen.extend(one.unseen);
    }
    all
}

async fn of_environment(github: &GitHub, target: Target, names: &[SettingName]) -> Shadows {
    match github.secrets(&target).await {
        Ok(secrets) => {
            let has = |name: &&SettingName| secrets.iter().any(|(found, _)| found == name.as_str());
            let shadow = |name: &SettingName| {
                Ok(Shadow {
                    target: target.clone(),
                    name: name.clone(),
                })
            };
            Shadows {
                found: names.iter().filter(has).map(shadow).collect(),
                unseen: Vec::new(),
            }
        }
        Err(failure) if failure.is_hidden() => unseen(format!("secrets of {target}")),
        Err(failure) => Shadows {
            found: vec![Err(problem(&failure))],
            unseen: Vec::new(),
        },
    }
}

fn unseen(subject: String) -> Shadows {
    let what =
        "the token may not look, so nobody knows whether an environment hides the repository's secrets";
    let remedy = "Give github-token Environments (read) and Actions (read), if jobs of this repository use environments.";
    Shadows {
        found: Vec::new(),
        unseen: vec![Problem::new(subject, what, remedy)],
    }
}

/// The placeholders of the app spec file that nothing fills in.
#[must_use]
pub fn placeholders(file: &SpecFile) -> Vec<Placeholder> {
    placeholder::unset(file.path.as_str(), &file.text, &file.provided)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_asked_for_by_an_example() {
        assert_eq!(example_of("*"), "https://spacekeeper.example");
        assert_eq!(
            example_of("https://*.shop.example"),
            "https://spacekeeper.shop.example"
        );
        assert_eq!(example_of("http://localhost:3000"), "http://localhost:3000");
    }
}
