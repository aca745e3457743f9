"""The protocol side of the relying party: OpenID Connect and the user-pool API, without Django."""
