//! Specs that must be accepted, and be stored without a field more or less.

use super::Kind::{self, ClusterConnection, Connection, Credential};

/// Kind and fragment.
#[rustfmt::skip]
pub(super) const CASES: &[(Kind, &str)] = &[
    (Credential, "{}"),
    (Credential, "connectionRef: {kind: PamConnection, name: vault}"),
    (Credential, "connectionRef: {kind: ClusterPamConnection, name: <253>}"),
    // The examples of the PAM's own documents.
    (Credential, "{username: johncredential, hostname: Linkedin, ip: linkedin.com, tags: [social], identifier: identifierjohn}"),
    (Credential, "{username: TLS12Testing@outlook.com, hostname: Outlook, ip: login.live.com, identifier: identifiertesting}"),
    (Credential, "{username: exemplo caderno 3.32, executionSettings: {parentCredential: cred2, parentHostname: gmail,
        parentIp: 'https://www.gmail.com', automaticChange: true, agentBasedPasswordChange: true, changePlugin: SSH,
        changeTemplate: 3COM, useOwnCredentialToConnect: false, authenticationCredential: cred2,
        authenticationHostname: gmail, authenticationIp: 'https://www.gmail.com', status: true,
        reconciliationCredential: cred2, reconciliationHostname: gmail, reconciliationIp: 'https://www.gmail.com',
        reconciliationPlugin: SSH, reconciliationTemplate: 3COM}}"),
    (Credential, "sessionSettings: {ssh: true, telnet: true, mysql: true, sqlServer: true, http: true, https: true, rdp: true,
        x11Forward: true, vnc: true, restrictAccessToRemoteApplication: true,
        macros: [{remoteApp: MySQL, connectivity: SSH}, {remoteApp: Kaspersky, connectivity: RDP}],
        useOwnCredentialToConnect: false, authenticationCredential: cred2, authenticationHostname: gmail,
        authenticationIp: 'https://www.gmail.com'}"),
    (Credential, "additionalSettings: {userCredentialOwner: admin, serverPath: /etc/host, secretKeySecretRef: {name: totp, key: seed},
        criticality: High, additionalAuthenticationFields: [{name: name, shortName: short_name1, value: Enable},
        {name: name2, shortName: short_name2, valueSecretRef: {name: fields, key: name2}}],
        notes: Credential to be used only in network A}"),
    (Credential, "jitSettings: {jit: true, credentialCreationAndDeletion: true, enableDisableCredential: false,
        useOwnCredentialToConnect: false, authenticationCredential: API_CREDENTIAL_1, authenticationHostname: API_DEVICE_1,
        authenticationIp: localhost, credentialCreationPlugin: SSH, credentialCreationTemplate: Linux - Create User,
        credentialDeletionPlugin: SSH, credentialDeletionTemplate: Linux - Remove User}"),
    (Credential, "jitSettings: {jit: true, enableDisableCredential: true, useOwnCredentialToConnect: true,
        authenticationCredential: API_CREDENTIAL_1, authenticationHostname: API_DEVICE_1, authenticationIp: localhost,
        credentialEnablePlugin: LDAP, credentialEnableTemplate: AD - Activate User, credentialDisablePlugin: LDAP,
        credentialDisableTemplate: AD - Deactivate User}"),
    // Every other field.
    (Credential, "{contentSecretRef: {name: password, key: value}, additional: DATABASE, tags: [api, app], credentialType: Domain User,
        domain: senhasegura.lab, parentPassword: 123, type: Server, vendor: Debian, model: 10.0 Buster, site: Default,
        deviceDomain: 'a.lab,b.lab', deviceTags: [api, app], connectivities: ['SSH:22', 'HTTPS:443'],
        sessionRemoteConfig: 'SSH:EXPECT:FILL', adoptionPolicy: Adopt, passwordPolicy: Enforce, driftPolicy: Correct,
        deletionPolicy: Deactivate, suspend: true}"),
    (Credential, "{adoptionPolicy: Never, passwordPolicy: CreateOnly, driftPolicy: Ignore, deletionPolicy: Retain, suspend: false}"),
    // The bounds themselves.
    (Credential, "{identifier: <128>, username: <256>, hostname: <255>, ip: <255>, additional: <4096>, tags: [<64:t#>]}"),
    (Credential, "{parentPassword: 9223372036854775807, connectivities: ['SSH:1', 'SSH:65535', RDP, 'SQL Server:1433', X11 Forward]}"),
    (Credential, "sessionSettings: {macros: [<64:{remoteApp: app, connectivity: c#}>]}"),
    (Credential, "additionalSettings: {additionalAuthenticationFields: [<32:{name: n#}>]}"),
    // What is present and empty is not the same as what is absent; null is.
    (Credential, "{tags: [], deviceTags: [], connectivities: [], domain: '', additional: '', executionSettings: {}, sessionSettings: {}}"),
    (Credential, "{tags: null, identifier: null, contentSecretRef: null, adoptionPolicy: null, jitSettings: null}"),
    // Texts of any language and with inner blanks; the PAM decides which of them it takes.
    (Credential, "{identifier: 'São Paulo / 数据库.1', username: 'serviço @ domínio', hostname: ünïx}"),
    (Credential, "jitSettings: {jit: false, credentialCreationAndDeletion: false}"),
    (Credential, "sessionSettings: {ssh: true, useOwnCredentialToConnect: false}"),

    (Connection, "{}"),
    (Connection, "{apiPrefix: api, tenant: acme, tls: {caBundleRef: {kind: ConfigMap, name: ca, key: ca.crt}, serverName: pam.example.com,
        clientCertificateSecretRef: {name: client}}, proxyUrl: 'http://proxy.example.com:3128', timeout: 45s,
        rateLimit: {requestsPerSecond: 10, burst: 20, maxInFlight: 4}, driftCheckInterval: 1h30m, identifierPrefix: prod-1,
        additionalSettingsFormat: Array, suspend: true}"),
    (Connection, "{apiPrefix: iso, additionalSettingsFormat: Object, tls: {caBundleRef: {kind: Secret, name: ca, key: ca.crt}, serverName: '2001:db8::1'}}"),
    (Connection, "{url: 'https://[2001:db8::1]:8443/pam/', proxyUrl: 'https://proxy.example.com/'}"),
    (Connection, "{url: 'http://127.0.0.1:8080', timeout: 1s, driftCheckInterval: 24h, identifierPrefix: <32>}"),
    (Connection, "{timeout: 1m60s, driftCheckInterval: 1000ms, rateLimit: {requestsPerSecond: 1000, burst: 1, maxInFlight: 256}}"),

    (ClusterConnection, "{}"),
    (ClusterConnection, "{allowedNamespaces: {names: [shop, orders]}, allow: [Adopt, DeviceFields, CredentialReferences, Owner]}"),
    (ClusterConnection, "{allowedNamespaces: {names: [shop], selector: {matchLabels: {pam: vault}, matchExpressions: [
        {key: team, operator: In, values: [a, b]}, {key: sandbox, operator: DoesNotExist}]}}, allow: [All]}"),
    (ClusterConnection, "{allowedNamespaces: {}, allow: [], tenant: acme, timeout: 10s}"),
];
