//! The clients of one run, built from what opens the services.

use std::sync::Arc;

use crate::config::{Access, Credential, InputProblem, Request};
use crate::model::bucket::Region;
use crate::model::desired::Desired;
use crate::model::problem::Problem;
use crate::remote::github::{self, AppKey};
use crate::remote::spaces::{Browser, Endpoints, Freshness, KeyPair, SpacesOf};
use crate::remote::{BaseUrl, DigitalOcean, GitHub, Shutdown, Spaces, Transport};
use crate::report::console::Console;

/// The clients that a request needs; those that it can do without are absent.
pub struct Session {
    /// The HTTP stack under all of them.
    pub transport: Transport,
    /// Keys and apps.
    pub digitalocean: Option<DigitalOcean>,
    /// The same, heedless of signals: it takes back what must not stay.
    pub cleaner: Option<DigitalOcean>,
    /// Secrets and variables.
    pub github: Option<GitHub>,
    /// Where the buckets are, region by region.
    pub endpoints: Endpoints,
    shutdown: Shutdown,
}

/// Why no client could be built.
#[derive(Debug)]
pub enum NoSession {
    /// An input turned out to be wrong.
    Input(InputProblem),
    /// The machine is not fit for it.
    Machine(Problem),
}

impl Session {
    /// Builds the clients. Nothing is sent.
    pub fn open(request: &Request, console: Console, shutdown: &Shutdown) -> Result<Self, NoSession> {
        let transport = Transport::new().map_err(|error| NoSession::Machine(no_roots(&error)))?;
        let access = &request.access;
        let digitalocean = digitalocean(access, &transport, shutdown);
        let endpoints = Endpoints::of(&access.spaces_url);
        let endpoints = endpoints.map_err(|error| input("spaces-endpoint-url", &error.to_string()))?;
        Ok(Self {
            cleaner: digitalocean.as_ref().map(DigitalOcean::to_the_end),
            digitalocean,
            github: github(access, &transport, console, shutdown)?,
            endpoints,
            transport,
            shutdown: shutdown.clone(),
        })
    }

    /// Spaces in a region under this pair.
    #[must_use]
    pub fn spaces(&self, region: Region, pair: &KeyPair, freshness: Freshness) -> Spaces {
        self.spaces_at(self.endpoints.at(region), pair, freshness)
    }

    /// Spaces under this pair, for each bucket where it lives.
    #[must_use]
    pub fn spaces_of(&self, desired: &Desired, pair: &KeyPair, freshness: Freshness) -> SpacesOf {
        let client = |region| self.spaces(region, pair, freshness);
        SpacesOf::new(desired.region, &desired.homes, client)
    }

    /// Spaces at another endpoint than the request's under this pair.
    #[must_use]
    pub fn spaces_at(&self, endpoint: &BaseUrl, pair: &KeyPair, freshness: Freshness) -> Spaces {
        Spaces::new(&self.transport, endpoint, pair, freshness, self.shutdown.clone())
    }

    /// What asks as a browser does.
    #[must_use]
    pub fn browser(&self, region: Region) -> Browser {
        Browser::new(&self.transport, self.endpoints.at(region), self.shutdown.clone())
    }

    /// Spaces in every region under this pair; nothing where one endpoint stands for all.
    #[must_use]
    pub fn everywhere(&self, access: &Access, pair: &KeyPair) -> Vec<(Region, Spaces)> {
        if !access.knows_regions_apart() {
            return Vec::new();
        }
        let client = |region| (region, self.spaces(region, pair, Freshness::Settled));
        Region::all().map(client).collect()
    }
}

fn digitalocean(access: &Access, transport: &Transport, shutdown: &Shutdown) -> Option<DigitalOcean> {
    let token = access.digitalocean.as_ref()?;
    Some(DigitalOcean::new(
        transport.clone(),
        access.digitalocean_url.clone(),
        token.clone(),
        shutdown.clone(),
    ))
}

fn github(
    access: &Access,
    transport: &Transport,
    console: Console,
    shutdown: &Shutdown,
) -> Result<Option<GitHub>, NoSession> {
    let Some(github) = &access.github else {
        return Ok(None);
    };
    let credential = match &github.credential {
        Credential::Token(token) => github::Credential::Token(token.clone()),
        Credential::App { id, private_key } => {
            let refused = |why: github::BadAppKey| input("github-app-private-key", &why.to_string());
            let key = AppKey::from_pem(private_key).map_err(refused)?;
            github::Credential::App {
                id: id.clone(),
                key,
                announce: Arc::new(move |token| console.mask(token)),
            }
        }
    };
    Ok(Some(GitHub::new(
        transport.clone(),
        github.url.clone(),
        credential,
        shutdown.clone(),
    )))
}

fn input(name: &str, what: &str) -> NoSession {
    NoSession::Input(InputProblem::of(name, what))
}

fn no_roots(error: &crate::remote::NoTransport) -> Problem {
    let remedy = "Install root certificates, or name a bundle in SSL_CERT_FILE.";
    Problem::new("this machine", error.to_string(), remedy)
}
