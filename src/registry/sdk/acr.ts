/** The part of the Azure SDK that is used. Imported when a policy first needs a token of ACR, so the bundle keeps it in separate files. */
export { ManagedIdentityCredential, WorkloadIdentityCredential } from '@azure/identity';
