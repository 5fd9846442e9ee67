/** What is used of the Azure SDK; loaded when a policy first asks for a token of ACR, so the bundle keeps it in files of its own. */
export { ManagedIdentityCredential, WorkloadIdentityCredential } from '@azure/identity';
