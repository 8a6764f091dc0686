"""Users and how they authenticate: OpenID Connect tokens and logins, browser sessions, access tokens of scripts."""
