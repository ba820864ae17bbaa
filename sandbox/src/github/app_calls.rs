//! The calls by which an app becomes an installation with a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::ask::{Ask, Caller, optional};
use super::paging::{USUAL, page};
use super::refusal::{Outcome, Refusal, json as reply, ok};
use super::repository_calls::shown as repository_shown;
use super::{Access, App, Holder, Installation, Permissions, Reach, Repository, Token};
use crate::World;
use crate::clock::rfc3339;
use crate::digitalocean::random;
use crate::reply::Reply;

/// How long an installation token lives, in seconds.
const TOKEN_LIFE_SECONDS: i64 = 60 * 60;
/// A token may be narrowed to this many repositories at most.
const REPOSITORY_LIMIT: usize = 500;

/// The app itself.
pub(super) fn get(world: &World, ask: &Ask<'_>) -> Outcome {
    let app = app(world, ask)?;
    Ok(ok(
        &json!({ "id": app.id, "client_id": app.client_id, "installations_count": app.installations.len() }),
    ))
}

/// The installation that reaches a repository.
pub(super) fn of_repository(world: &World, ask: &Ask<'_>, at: usize) -> Outcome {
    let repository = &world.github.repositories[at];
    let app = app(world, ask)?;
    let reaches = |it: &&Installation| is_on(it, repository.owner()) && it.reach.includes(repository);
    app.installations
        .iter()
        .find(reaches)
        .map(|it| ok(&shown(app, it)))
        .ok_or_else(Refusal::not_found)
}

/// The installation on an organization or a user.
pub(super) fn of_account(world: &World, ask: &Ask<'_>, login: &str) -> Outcome {
    let app = app(world, ask)?;
    let found = app.installations.iter().find(|it| is_on(it, login));
    found.map(|it| ok(&shown(app, it))).ok_or_else(Refusal::not_found)
}

/// Mints a token, narrowed as the body says.
pub(super) fn mint(world: &mut World, ask: &Ask<'_>, id: &str) -> Outcome {
    let app = app(world, ask)?;
    let installation = app
        .installations
        .iter()
        .find(|it| it.id.to_string() == id)
        .ok_or_else(Refusal::not_found)?;
    if installation.suspended_at.is_some() {
        return Err(Refusal::forbidden("This installation has been suspended"));
    }
    let permissions = narrowed_permissions(ask, installation)?;
    let reach = narrowed_reach(world, ask, installation)?;
    let token = Token {
        value: value(app.id, is_long(world, ask)),
        holder: Holder::Installation {
            id: installation.id,
            reach,
            permissions,
        },
        expires_at: Some(ask.now + TOKEN_LIFE_SECONDS),
    };
    let answer = minted(world, ask, &token);
    world.github.tokens.push(token);
    Ok(reply(StatusCode::CREATED, &answer).wrote())
}

/// Revokes the token that asks.
pub(super) fn revoke(world: &mut World, ask: &Ask<'_>) -> Outcome {
    let token = installation_token(ask)?;
    world.github.tokens.retain(|known| known.value != token.value);
    Ok(Reply::empty(StatusCode::NO_CONTENT).wrote())
}

/// The repositories that the token reaches.
pub(super) fn repositories(world: &World, ask: &Ask<'_>) -> Outcome {
    let Holder::Installation { reach, .. } = &installation_token(ask)?.holder else {
        return Err(Refusal::not_found());
    };
    let items = world
        .github
        .repositories
        .iter()
        .filter(|repository| reach.includes(repository));
    let items = items
        .map(|repository| repository_shown(repository, &ask.base))
        .collect();
    Ok(page(ask, &world.switches, USUAL, "repositories", items))
}

fn app<'w>(world: &'w World, ask: &Ask<'_>) -> Result<&'w App, Refusal> {
    match ask.caller {
        Caller::App(at) => Ok(&world.github.apps[at]),
        _ => Err(Refusal::unauthorized("A JSON web token could not be decoded")),
    }
}

fn installation_token<'a>(ask: &'a Ask<'_>) -> Result<&'a Token, Refusal> {
    match &ask.caller {
        Caller::Token(token) if matches!(token.holder, Holder::Installation { .. }) => Ok(token),
        _ => Err(Refusal::forbidden(
            "You must authenticate with an installation access token in order to use this endpoint.",
        )),
    }
}

fn is_on(installation: &Installation, login: &str) -> bool {
    installation.account.eq_ignore_ascii_case(login)
}

/// The permissions asked for, none of which may exceed those of the installation.
fn narrowed_permissions(ask: &Ask<'_>, installation: &Installation) -> Result<Permissions, Refusal> {
    let asked: Option<serde_json::Map<String, Value>> = optional(&ask.optional_object()?, "permissions")?;
    let Some(asked) = asked else {
        return Ok(installation.permissions.clone());
    };
    let exceeds =
        || Refusal::unprocessable("The permissions requested are not granted to this installation.");
    let mut permissions = Permissions::default();
    for (name, word) in asked {
        let access = word.as_str().and_then(Access::from_word).ok_or_else(exceeds)?;
        if !installation.permissions.allow(&name, access) {
            return Err(exceeds());
        }
        permissions.0.insert(name, access);
    }
    Ok(permissions)
}

/// The repositories asked for by name or number, all of which the installation must reach.
fn narrowed_reach(world: &World, ask: &Ask<'_>, installation: &Installation) -> Result<Reach, Refusal> {
    let body = ask.optional_object()?;
    let names: Option<Vec<String>> = optional(&body, "repositories")?;
    let ids: Option<Vec<u64>> = optional(&body, "repository_ids")?;
    if names.is_none() && ids.is_none() {
        return Ok(installation.reach.clone());
    }
    let (names, ids) = (names.unwrap_or_default(), ids.unwrap_or_default());
    let reached = |repository: &&Repository| {
        is_on(installation, repository.owner()) && installation.reach.includes(repository)
    };
    let asked = |repository: &&Repository| {
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(repository.name()))
            || ids.contains(&repository.id)
    };
    let selected: Vec<_> = world
        .github
        .repositories
        .iter()
        .filter(reached)
        .filter(asked)
        .collect();
    if selected.len() < names.len() + ids.len() || selected.len() > REPOSITORY_LIMIT {
        return Err(Refusal::unprocessable(
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        ));
    }
    Ok(Reach::Selected(
        selected
            .into_iter()
            .map(|repository| repository.full_name.clone())
            .collect(),
    ))
}

/// Whether the token is of the new, long form: by the switch, unless the request says otherwise.
fn is_long(world: &World, ask: &Ask<'_>) -> bool {
    match ask
        .headers
        .get("x-github-stateless-s2s-token")
        .and_then(|value| value.to_str().ok())
    {
        Some("enabled") => true,
        Some("disabled") => false,
        _ => world.switches.long_installation_tokens,
    }
}

/// `ghs_` and 36 characters, or `ghs_<app>_<JWT>` of about 520.
fn value(app: u64, long: bool) -> String {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    if long {
        let header = text(br#"{"alg":"RS256","typ":"JWT"}"#);
        format!(
            "ghs_{app}_{header}.{}.{}",
            text(&random::<96>()),
            text(&random::<256>())
        )
    } else {
        format!("ghs_{}", text(&random::<27>()).replace(['-', '_'], "0"))
    }
}

fn minted(world: &World, ask: &Ask<'_>, token: &Token) -> Value {
    let Holder::Installation {
        reach, permissions, ..
    } = &token.holder
    else {
        return Value::Null;
    };
    let mut answer = json!({
        "token": token.value,
        "expires_at": token.expires_at.map(rfc3339),
        "permissions": permissions_shown(permissions),
        "repository_selection": selection(reach),
    });
    if matches!(reach, Reach::Selected(_)) {
        let reached = world
            .github
            .repositories
            .iter()
            .filter(|repository| reach.includes(repository));
        answer["repositories"] = reached
            .map(|repository| repository_shown(repository, &ask.base))
            .collect();
    }
    answer
}

fn shown(app: &App, installation: &Installation) -> Value {
    json!({
        "id": installation.id,
        "app_id": app.id,
        "client_id": app.client_id,
        "account": { "login": installation.account },
        "repository_selection": selection(&installation.reach),
        "permissions": permissions_shown(&installation.permissions),
        "suspended_at": installation.suspended_at.map(rfc3339),
    })
}

fn selection(reach: &Reach) -> &'static str {
    match reach {
        Reach::All => "all",
        Reach::Selected(_) => "selected",
    }
}

fn permissions_shown(permissions: &Permissions) -> Value {
    let mut shown = json!({ "metadata": "read" });
    for (name, access) in &permissions.0 {
        shown[name] = access.word().into();
    }
    shown
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;

    /// A world with an installation that may write the secrets of two repositories.
    fn world() -> World {
        let reach = Reach::Selected(vec!["acme/shop".to_owned(), "acme/site".to_owned()]);
        let permissions = Permissions::new(&[("secrets", Access::Write), ("actions", Access::Read)]);
        let app = App::new(1, "Iv1", b"").installed(7, "acme", reach, permissions);
        let repositories = ["acme/shop", "acme/site", "acme/vault"];
        let world = repositories
            .into_iter()
            .fold(World::new(), World::with_repository);
        world.with_github_app(app)
    }

    fn mint_with(world: &mut World, body: &'static str, headers: &HeaderMap) -> Result<Value, u16> {
        let ask = Ask {
            caller: Caller::App(0),
            method: &Method::POST,
            headers,
            body: &Bytes::from_static(body.as_bytes()),
            query: Vec::new(),
            base: String::new(),
            path: "",
            now: 1_000,
        };
        let reply = mint(world, &ask, "7").unwrap_or_else(Reply::from).response;
        let body = serde_json::from_slice(reply.body()).unwrap_or_default();
        if reply.status() == StatusCode::CREATED {
            Ok(body)
        } else {
            Err(reply.status().as_u16())
        }
    }

    #[test]
    fn a_token_is_never_wider_than_its_installation() {
        let mut world = world();
        let mut ask = |body| mint_with(&mut world, body, &HeaderMap::new());
        let narrow = ask(r#"{"repositories":["Shop"],"permissions":{"secrets":"read"}}"#).expect("granted");
        assert_eq!(narrow["repositories"][0]["full_name"], "acme/shop");
        assert_eq!(
            narrow["permissions"],
            json!({ "metadata": "read", "secrets": "read" })
        );
        assert_eq!(narrow["expires_at"], "1970-01-01T01:16:40Z");
        assert_eq!(ask("").expect("granted")["permissions"]["secrets"], "write");
        assert_eq!(ask(r#"{"repositories":["vault"]}"#), Err(422));
        assert_eq!(ask(r#"{"permissions":{"actions":"write"}}"#), Err(422));
        assert_eq!(ask(r#"{"permissions":{"administration":"read"}}"#), Err(422));
    }

    #[test]
    fn tokens_come_in_two_lengths() {
        let mut world = world();
        let mut length = |form: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                "x-github-stateless-s2s-token",
                http::HeaderValue::from_static(form),
            );
            let minted = mint_with(&mut world, "", &headers).expect("granted");
            minted["token"].as_str().map(str::len)
        };
        assert_eq!(length("disabled"), Some(40));
        assert!(length("enabled") > Some(500));
    }
}
