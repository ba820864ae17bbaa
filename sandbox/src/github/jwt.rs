//! The JWT by which an app says who it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::App;
use super::refusal::Refusal;

/// The longest a JWT may live, in seconds.
const LIFE_LIMIT_SECONDS: i64 = 10 * 60;
/// How far `iat` may be ahead of the server, in seconds.
const CLOCK_DRIFT_SECONDS: i64 = 60;

/// Whether a token looks like a JWT at all.
pub(super) fn looks_like_one(token: &str) -> bool {
    token.starts_with("eyJ") && token.split('.').count() == 3
}

/// The index of the app that signed the JWT.
pub(super) fn verify(apps: &[App], token: &str, now: i64) -> Result<usize, Refusal> {
    let parts = Parts::of(token).ok_or_else(undecodable)?;
    let at = issuer(apps, &parts.claims)?;
    parts.check_signature(&apps[at].public_key)?;
    check_times(&parts.claims, now)?;
    Ok(at)
}

/// A JWT taken apart, not yet believed.
struct Parts<'t> {
    signed: &'t str,
    algorithm: Value,
    claims: Value,
    signature: Vec<u8>,
}

impl<'t> Parts<'t> {
    fn of(token: &'t str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self {
            signed,
            algorithm: json(header)?.get("alg")?.clone(),
            claims: json(claims)?,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    fn check_signature(&self, public_key: &[u8]) -> Result<(), Refusal> {
        if self.algorithm != "RS256" {
            return Err(undecodable());
        }
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key);
        key.verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| undecodable())
    }
}

/// The app that `iss` names by number or client id, as a string or a number.
fn issuer(apps: &[App], claims: &Value) -> Result<usize, Refusal> {
    let issuer = match &claims["iss"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => {
            return Err(Refusal::unauthorized(
                "Missing 'issuer' claim ('iss') in assertion",
            ));
        }
    };
    let is = |app: &App| app.client_id == issuer || app.id.to_string() == issuer;
    apps.iter()
        .position(is)
        .ok_or_else(|| Refusal::new(http::StatusCode::NOT_FOUND, "Integration not found"))
}

fn check_times(claims: &Value, now: i64) -> Result<(), Refusal> {
    let Some(expires_at) = claims["exp"].as_i64().filter(|at| *at > now) else {
        return Err(Refusal::unauthorized(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ));
    };
    if expires_at > now + LIFE_LIMIT_SECONDS {
        return Err(Refusal::unauthorized(
            "'Expiration time' claim ('exp') is too far in the future",
        ));
    }
    if claims["iat"]
        .as_i64()
        .is_none_or(|at| at > now + CLOCK_DRIFT_SECONDS)
    {
        return Err(Refusal::unauthorized(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ));
    }
    Ok(())
}

fn undecodable() -> Refusal {
    Refusal::unauthorized("A JSON web token could not be decoded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The modulus, claims and signature of RFC 7515, appendix A.2: a public vector.
    const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    /// The vector's key as an `RSAPublicKey`, within a `SubjectPublicKeyInfo` if `wrapped`.
    fn key(wrapped: bool) -> Vec<u8> {
        let modulus = URL_SAFE_NO_PAD.decode(MODULUS).expect("base64");
        let numbers = [&b"\x02\x82\x01\x01\x00"[..], &modulus, b"\x02\x03\x01\x00\x01"].concat();
        let key = [&b"\x30\x82\x01\x0a"[..], &numbers].concat();
        if !wrapped {
            return key;
        }
        let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        [&b"\x30\x82\x01\x22"[..], algorithm, b"\x03\x82\x01\x0f\x00", &key].concat()
    }

    #[test]
    fn a_signature_is_believed_only_from_its_own_key() {
        for wrapped in [false, true] {
            let app = App::new(1, "joe", &key(wrapped));
            let parts = Parts::of(TOKEN).expect("a JWT");
            assert_eq!(
                issuer(std::slice::from_ref(&app), &parts.claims).expect("known"),
                0
            );
            assert!(parts.check_signature(&app.public_key).is_ok());
        }
        let forged = TOKEN.replace("cC4hiUPo", "cC4hiUPp");
        assert!(Parts::of(&forged).is_some_and(|parts| parts.check_signature(&key(false)).is_err()));
        let unsigned = TOKEN.replace("eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJub25lIn0");
        assert!(Parts::of(&unsigned).is_some_and(|parts| parts.check_signature(&key(false)).is_err()));
    }

    #[test]
    fn a_jwt_lives_ten_minutes_at_most() {
        let claims = |iat, exp| json!({ "iat": iat, "exp": exp });
        assert!(check_times(&claims(940, 1540), 1000).is_ok());
        assert!(check_times(&claims(940, 1601), 1000).is_err());
        assert!(check_times(&claims(940, 1000), 1000).is_err());
        assert!(check_times(&claims(1100, 1540), 1000).is_err());
    }
}
