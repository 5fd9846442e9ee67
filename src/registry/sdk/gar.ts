/**
 * The part of Google's library that is used. Imported when a policy first needs a token of Artifact Registry, so the bundle keeps it in
 * separate files.
 */
export { Compute, GoogleAuth, IdentityPoolClient } from 'google-auth-library';
