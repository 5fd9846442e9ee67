/** What is used of the AWS SDK; loaded when a policy first asks for a token of ECR, so the bundle keeps it in files of its own. */
export { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
