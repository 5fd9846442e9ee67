/** The part of the AWS SDK that is used. Imported when a policy first needs a token of ECR, so the bundle keeps it in separate files. */
export { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
