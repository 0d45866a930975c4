/** The method of the echo server. */
export const echoPath = '/sluice.bench.Echo/Echo';
