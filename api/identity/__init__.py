"""Who is asking: OpenID Connect tokens and logins, browser sessions, access tokens of scripts."""
