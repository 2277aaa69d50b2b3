"""The verifiers that policies may name: one constant each, with its source.

The times and refetches are the table of the project's facts, collected in November 2026 from each one's documentation
and source; [M] is measured by running it (tests/consumers). What nobody says is None, and never guessed.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType

from publisher.consumer import FOREVER, Consumer, Keeping

_RS = frozenset({"RS256", "RS384", "RS512"})
_PS = frozenset({"PS256", "PS384", "PS512"})
_ES = frozenset({"ES256", "ES384", "ES512"})
_NIST = frozenset({"P-256", "P-384", "P-521"})
_RSA_NIST = _NIST | {"RSA"}
_ED25519 = _RSA_NIST | {"Ed25519"}
_AT_ONCE, _HALF_A_MINUTE = timedelta(0), timedelta(seconds=30)
_EVER = Keeping(least=FOREVER, most=FOREVER)


def _fixed(**time: int) -> Keeping:
    return Keeping(least=timedelta(**time), most=timedelta(**time))


# npm jose 6.2 [M]: src/jwks/remote.ts (cacheMaxAge, cooldownDuration), exactly one match or an error.
JOSE = Consumer(
    name="jose",
    keeps=_fixed(minutes=10),
    refetch=_HALF_A_MINUTE,
    algorithms=_RS | _PS | _ES | {"EdDSA", "Ed25519"},
    kinds=_ED25519,
    duplicates="none",
)
# npm jwks-rsa 4.1 [M]: cacheMaxAge of each kid; it reads keys with jose, and passes over what that does not read.
JWKS_RSA = Consumer(name="jwks-rsa", keeps=_fixed(minutes=10), refetch=_AT_ONCE, kinds=_ED25519, duplicates="first")
# auth0/jwks-rsa-java, JwkProviderBuilder (10 h, 10 a minute) and Jwk.getPublicKey (RSA and the NIST curves).
JWKS_RSA_JAVA = Consumer(name="jwks-rsa-java", keeps=_fixed(hours=10), refetch=timedelta(minutes=1), kinds=_RSA_NIST)
# PyJWT 2.15, jwt/jwks_client.py (lifespan=300) [M]; the names of RFC 9864 are unknown to it.
PYJWT = Consumer(
    name="pyjwt",
    keeps=_fixed(minutes=5),
    refetch=_AT_ONCE,
    algorithms=_RS | _PS | _ES | {"ES256K", "EdDSA"},
    duplicates="first",
)
# Nimbus JOSE + JWT, JWKSourceBuilder (5 min, 30 s), RemoteJWKSet (51,200 bytes), DefaultJWSVerifierFactory.
NIMBUS = Consumer(
    name="nimbus",
    keeps=_fixed(minutes=5),
    refetch=_HALF_A_MINUTE,
    max_bytes=51_200,
    algorithms=_RS | _PS | _ES | {"ES256K"},
)
# Spring Security, NimbusJwtDecoder: RS256 unless configured; its own retriever has no limit of bytes.
SPRING = Consumer(name="spring", keeps=_fixed(minutes=5), refetch=_HALF_A_MINUTE, algorithms=frozenset({"RS256"}))
# Spring Security, ReactiveRemoteJWKSource: keeps a set until a kid is unknown. RS256 as above.
SPRING_REACTIVE = Consumer(name="spring-reactive", keeps=_EVER, refetch=_AT_ONCE, algorithms=frozenset({"RS256"}))
# go-jose v4, jwk.go: UnmarshalJSON fails for a curve that it does not know, and with it the whole set.
GO_JOSE = Consumer(
    name="go-jose",
    keeps=None,  # it fetches nothing; who uses it does
    refetch=None,
    algorithms=_RS | _PS | _ES | {"EdDSA"},
    refuses=frozenset({"secp256k1", "Ed448"}),
)
# coreos/go-oidc v3, oidc/jwks.go: RemoteKeySet decodes with go-jose, and keeps a set until a kid is unknown.
GO_OIDC = Consumer(
    name="go-oidc", keeps=_EVER, refetch=_AT_ONCE, algorithms=GO_JOSE.algorithms, refuses=GO_JOSE.refuses
)
# awslabs/aws-jwt-verify 5.2 [M]: no PS, no names of RFC 9864, no ES256K.
AWS_JWT_VERIFY = Consumer(
    name="aws-jwt-verify",
    keeps=_EVER,
    refetch=_AT_ONCE,
    algorithms=_RS | _ES | {"EdDSA"},
    duplicates="first",
)
# MicahParks/keyfunc v3 and jwkset (storage.go, marshal.go): one key that it cannot read fails the whole refresh.
KEYFUNC = Consumer(
    name="keyfunc",
    keeps=_fixed(hours=1),
    refetch=timedelta(minutes=5),
    algorithms=_RS | _PS | _ES | {"EdDSA"},
    refuses=frozenset({"secp256k1", "Ed448"}),
)
# lestrrat-go/jwx, jwk/set.go (no WithIgnoreParseError) and jwa/secp2561k.go (secp256k1 by the tag jwx_es256k alone).
LESTRRAT_JWX = Consumer(
    name="lestrrat-jwx",
    keeps=Keeping(least=timedelta(hours=1), most=FOREVER),
    refetch=None,
    algorithms=_RS | _PS | _ES | {"EdDSA"},
    kinds=_ED25519,
    refuses=frozenset({"secp256k1"}),
)
# Envoy, jwt_authn (cache_duration 10 min) and google/jwt_verify_lib, src/jwks.cc: it passes over what it cannot read.
ENVOY = Consumer(
    name="envoy",
    keeps=_fixed(minutes=10),
    refetch=None,
    algorithms=_RS | _PS | _ES | {"EdDSA"},
    kinds=_ED25519,
)
# Istio: istiod fetches the set every 20 min (PILOT_JWT_PUB_KEY_REFRESH_INTERVAL) and hands it to Envoy.
ISTIO = Consumer(name="istio", keeps=_fixed(minutes=20), refetch=None, algorithms=ENVOY.algorithms, kinds=ENVOY.kinds)
# Microsoft.IdentityModel: RSA and EC; AutomaticRefreshInterval 12 h, RefreshInterval 5 min.
MICROSOFT_IDENTITY = Consumer(
    name="microsoft-identity",
    keeps=_fixed(hours=12),
    refetch=timedelta(minutes=5),
    algorithms=_RS | _PS | _ES,
    kinds=_RSA_NIST,
)
# OpenIDC/mod_auth_openidc, src/cfg/provider.c (OIDC_DEFAULT_JWKS_REFRESH_INTERVAL 3600), src/jose.c, src/proto/jwks.c.
MOD_AUTH_OPENIDC = Consumer(
    name="mod-auth-openidc",
    keeps=_fixed(hours=1),
    refetch=_AT_ONCE,
    algorithms=_RS | _PS | _ES,
    kinds=_RSA_NIST,
)
# Amazon API Gateway, REST (up to 1 h) and HTTP APIs (http-api-jwt-authorizer: RSA-based algorithms alone).
AWS_API_GATEWAY = Consumer(name="aws-api-gateway", keeps=_fixed(hours=1), refetch=_AT_ONCE, kinds=frozenset({"RSA"}))
# AWS IAM OIDC: about 100 keys (spiffe/spire#4699); RSA and ECDSA (AWS STS, November 2024). Its cache is not documented.
AWS_IAM_OIDC = Consumer(name="aws-iam-oidc", keeps=None, refetch=None, max_keys=100, kinds=_RSA_NIST)
# Confluent Cloud, "Manage the JWKS URI": max-age from 300 to 604800.
CONFLUENT_CLOUD = Consumer(
    name="confluent-cloud",
    keeps=Keeping(least=timedelta(seconds=300), most=timedelta(seconds=604_800)),
    refetch=None,
)
# Elastic Load Balancing, listener-verify-jwt: 10 keys, 150 KB, RS256 alone. Its cache is not documented.
AWS_ALB = Consumer(
    name="aws-alb",
    keeps=None,
    refetch=None,
    max_keys=10,
    max_bytes=150_000,
    algorithms=frozenset({"RS256"}),
)
# OCI API Gateway: ten keys (apigatewayusingjwttokens-identityprovider), RSA with RS256, RS384 or RS512
# (-keyparams), up to 4096 bits (-prerequisites). maxCacheDurationInHours is its owner's choice.
OCI_API_GATEWAY = Consumer(
    name="oci-api-gateway", keeps=None, refetch=None, max_keys=10, max_rsa_bits=4096, algorithms=_RS
)
# Cloudflare API Shield: 16 keys (changelog of 2026-08-27), algorithms as in "Configure JWT validation via the API";
# other keys are dropped. Its owner puts the keys there, so nothing is learnt from the document by itself.
CLOUDFLARE_API_SHIELD = Consumer(
    name="cloudflare-api-shield",
    keeps=None,
    refetch=None,
    max_keys=16,
    algorithms=_RS | _PS | {"ES256", "ES384"},
)
# python-jose 3.5, jws._sig_matches_keys [M]: each key is built with the token's alg, and one of another type raises.
PYTHON_JOSE = Consumer(
    name="python-jose", keeps=None, refetch=None, algorithms=_RS | _ES, kinds=_RSA_NIST, in_turn=True
)
# joserfc 1.8 [M]. It fetches nothing.
JOSERFC = Consumer(name="joserfc", keeps=None, refetch=None, duplicates="first")
# Authlib 1.9, authlib.jose [M]: without the names of RFC 9864. It fetches nothing.
AUTHLIB = Consumer(
    name="authlib",
    keeps=None,
    refetch=None,
    algorithms=_RS | _PS | _ES | {"ES256K", "EdDSA"},
    duplicates="first",
)
# ruby-jwt up to 3.2.0, lib/jwt/jwk.rb (OKP needs jwt-eddsa) and ec.rb (secp256k1 as `P-256K` alone): both raise.
RUBY_JWT = Consumer(
    name="ruby-jwt",
    keeps=None,
    refetch=_AT_ONCE,  # key_finder.rb calls its loader again
    algorithms=_RS | _PS | _ES,
    refuses=frozenset({"secp256k1", "Ed25519", "Ed448"}),
)
# jwcrypto 1.6 [M]. It fetches nothing.
JWCRYPTO = Consumer(name="jwcrypto", keeps=None, refetch=None)

CONSUMERS: Mapping[str, Consumer] = MappingProxyType(
    {
        one.name: one
        for one in (
            *(JOSE, JWKS_RSA, JWKS_RSA_JAVA, PYJWT, NIMBUS, SPRING, SPRING_REACTIVE, GO_JOSE, GO_OIDC),
            *(AWS_JWT_VERIFY, KEYFUNC, LESTRRAT_JWX, ENVOY, ISTIO, MICROSOFT_IDENTITY, MOD_AUTH_OPENIDC),
            *(AWS_API_GATEWAY, AWS_IAM_OIDC, CONFLUENT_CLOUD, AWS_ALB, OCI_API_GATEWAY, CLOUDFLARE_API_SHIELD),
            *(PYTHON_JOSE, JOSERFC, AUTHLIB, RUBY_JWT, JWCRYPTO),
        )
    }
)
"""By the name that policy.yaml and keyset.yaml use."""


def named(names: Iterable[str]) -> tuple[Consumer, ...]:
    """The verifiers of these names, in the names' order; unknown ones, which a rule tells, are left out."""
    return tuple(CONSUMERS[name] for name in sorted(names) if name in CONSUMERS)
