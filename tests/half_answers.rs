//! What was cut short, comes from somebody else, is dated absurdly or speaks of something else is not taken at its word.

use spacekeeper_sandbox::spaces::{Bucket, CorsRule};

use crate::fixture::{
    DigitalOcean, Fault, Outcome, Run, Sandbox, Spaces, World, live_keys, the_delivered_pair, variable, world,
};

fn rule_of_a_stranger(name: &str) -> CorsRule {
    CorsRule {
        id: Some(name.to_owned()),
        allowed_origins: vec![format!("https://{name}.example")],
        allowed_methods: vec!["GET".to_owned()],
        ..CorsRule::default()
    }
}

fn uploads(world: &mut World) -> &mut Bucket {
    world.spaces.bucket_mut("shop-uploads").expect("the bucket")
}

/// The list of CORS rules up to the end of the first one, as a decoder would take it for all of them.
#[test]
fn a_list_of_rules_that_breaks_off_loses_no_rule_of_a_stranger() {
    let strangers = ["partner", "press"].map(rule_of_a_stranger);
    let sandbox = Sandbox::start(world().with_bucket("nyc3", "shop-uploads"));
    uploads(&mut sandbox.world()).cors = strangers.to_vec();
    let part = "<?xml version=\"1.0\"?><CORSConfiguration><CORSRule><ID>partner</ID>\
                <AllowedOrigin>https://partner.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";
    let reading = Fault::on(Spaces).method("GET").path_contains("?cors");
    let cut = reading
        .status(200)
        .header("content-type", "application/xml")
        .body(part);
    // The look, and the look right before the rules are written.
    sandbox.script(cut.times(2));
    Run::bootstrap(&sandbox)
        .input("cors", "public-assets")
        .go()
        .green();
    let rules = uploads(&mut sandbox.world()).cors.clone();
    for stranger in &strangers {
        assert!(rules.contains(stranger), "{stranger:?} is gone: {rules:?}");
    }
    assert!(
        rules.len() > strangers.len(),
        "ours stands beside them: {rules:?}"
    );
}

/// No clock shows that, and who computes with it leaves the calendar.
#[test]
fn a_server_that_dates_its_answer_in_the_year_9999_is_not_signed_for_then() {
    for date in ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"] {
        let sandbox = Sandbox::start(world().with_bucket("nyc3", "shop-uploads"));
        let looking = Fault::on(Spaces).method("HEAD");
        sandbox.script(looking.status(200).header("date", date).times(2));
        let outcome = Run::bootstrap(&sandbox)
            .input("cors", "public-assets")
            .go()
            .green();
        assert!(
            !outcome.stdout.contains("bug in Spacekeeper"),
            "{}",
            outcome.stdout
        );
        assert!(!outcome.summary.contains("clock"), "{}", outcome.summary);
        the_delivered_pair(&sandbox);
        let signed = outcome
            .journal
            .to(Spaces)
            .into_iter()
            .map(|entry| &entry.headers["x-amz-date"]);
        for signed in signed {
            let year = signed.to_str().expect("a date").get(..2);
            assert_eq!(year, Some("20"), "{signed:?}");
        }
    }
}

/// A gateway that refuses what the service behind it has done: the key is there, and nobody has its secret.
#[test]
fn a_mint_that_a_gateway_refuses_is_looked_for_and_taken_back() {
    for status in [400, 401, 403, 404, 422] {
        let sandbox = Sandbox::start(world());
        let minting = Fault::on(DigitalOcean)
            .method("POST")
            .path_contains("/v2/spaces/keys");
        let scoped = minting.skip(1).after().html(status);
        sandbox.script(scoped);
        Run::bootstrap(&sandbox).go().green();
        let id = the_delivered_pair(&sandbox);
        let (live, world) = (live_keys(&sandbox), sandbox.world());
        assert_eq!(live.len(), 1, "{status}: {live:?}");
        let made = world
            .digitalocean
            .keys
            .iter()
            .filter(|key| !key.has_full_access());
        assert_eq!(made.count(), 2, "{status}: the first one is deleted, {id} serves");
    }
}

fn creating_a_cdn() -> Fault {
    Fault::on(DigitalOcean)
        .method("POST")
        .path_contains("/v2/cdn/endpoints")
}

#[track_caller]
fn announces_no_cdn(sandbox: &Sandbox, outcome: &Outcome) {
    assert_eq!(variable(sandbox, "SPACES_CDN_ENDPOINT"), None);
    assert_eq!(outcome.output("cdn-endpoint"), "");
    the_delivered_pair(sandbox);
}

#[test]
fn an_answer_about_the_cdn_of_another_bucket_is_none() {
    let sandbox = Sandbox::start(world());
    sandbox.script(creating_a_cdn().edits(|_, body| {
        body["endpoint"]["origin"] = "shop-others.nyc3.digitaloceanspaces.com".into();
    }));
    let outcome = Run::bootstrap(&sandbox).input("cdn", "true").go().red();
    outcome.complains(&["bucket shop-uploads", "CDN endpoint", "answers with others"]);
    announces_no_cdn(&sandbox, &outcome);
}

#[test]
fn a_list_that_shows_the_address_for_another_bucket_is_no_proof() {
    let sandbox = Sandbox::start(world());
    let listing = Fault::on(DigitalOcean)
        .method("GET")
        .path_contains("/v2/cdn/endpoints");
    sandbox.script(listing.forever().edits(|_, body| {
        for endpoint in body["endpoints"].as_array_mut().into_iter().flatten() {
            endpoint["origin"] = "shop-others.nyc3.digitaloceanspaces.com".into();
        }
    }));
    let outcome = Run::bootstrap(&sandbox).input("cdn", "true").go().red();
    outcome.complains(&["bucket shop-uploads", "CDN endpoint", "list"]);
    announces_no_cdn(&sandbox, &outcome);
}
