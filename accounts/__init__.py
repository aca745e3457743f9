"""The relying party: signs people in through Cognito's hosted UI and keeps their tokens on the server."""
