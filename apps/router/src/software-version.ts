/** Version of the router, as its package.json has it. */
export const softwareVersion = '0.1.0';
