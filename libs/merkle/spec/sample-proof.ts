/** Entry 5 of the published tree of 8, signed with the key of RFC 8037 appendix A.1 under the name `audit.example/log`. */
export const SAMPLE_PROOF = `c2sp.org/tlog-proof@v1
index 5
vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=
yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=
037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=

audit.example/log
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— audit.example/log ohr7KmGlXaemhF+nvpNmGsZQ+pHaRiS9itxhplMk8zxzBsBqXpEtNoa7yVGovySc66qoWXfaZG6GEcQ0lTU4PZ2EXAw=
`;
