/** What is used of Google's library; loaded when a policy first asks for a token of Artifact Registry, so the bundle keeps it in files of its own. */
export { Compute, GoogleAuth, IdentityPoolClient } from 'google-auth-library';
