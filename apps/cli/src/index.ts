export { demoProfile } from './demo-profile.js';
export { dispatch } from './dispatch.js';
export { startLocalSuite } from './local-suite.js';
export { serviceNames, serviceRuntime, type ServiceName, type ServiceRuntime } from './service-runtime.js';
