"""A simulated OIDC issuer that signs what it says with a key of its own: discovery, keys, a page on which somebody signs in
at once, and codes for tokens, by PKCE. Plain data; knows nothing of the console."""

import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """`person` is what it says of whoever signs in."""

    def __init__(self, client):
        issuer, self.client, self.person, self.codes = self, client, {"sub": "1"}, {}
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                address = urllib.parse.urlparse(self.path)
                if address.path == "/authorize":
                    return self.tell(302, {}, issuer.back(dict(urllib.parse.parse_qsl(address.query))))
                known = {"/.well-known/openid-configuration": issuer.discovery, "/keys": issuer.keys}
                self.tell(200, known[address.path]()) if address.path in known else self.tell(404, {})

            def do_POST(self):
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.tell(*issuer.token(form))

            def tell(self, status, value, location=None):
                body = json.dumps(value).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **({"Location": location} if location else {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def discovery(self):
        return {"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys"}

    def keys(self):
        numbers = self.key.public_key().public_numbers()
        number = lambda value: encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": number(numbers.n), "e": number(numbers.e)}]}

    def back(self, asked):
        code = secrets.token_hex(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urllib.parse.urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form):
        asked = self.codes.pop(form.get("code"), None)
        fits = asked and asked["redirect_uri"] == form["redirect_uri"] and asked["client_id"] == form["client_id"] == self.client
        if not fits or encoded(hashlib.sha256(form["code_verifier"].encode()).digest()) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "another", "token_type": "Bearer", "id_token": self.signed(nonce=asked["nonce"])}

    def signed(self, key=None, **claims):
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client, "iat": now - 1, "exp": now + 300, **self.person, **claims}
        text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "1", "typ": "JWT"}, claims))
        return f"{text}.{encoded((key or self.key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
