//! The request examples of the PAM's documents for version 3.32, each with the manifest that says the same.

/// A request that the documents print.
pub(super) struct Example {
    /// Name of the object, and of the connection to a PAM of its own.
    pub name: &'static str,
    /// What the PAM has before, as the simulator's data file says it: the request is about it, or shows the next id.
    pub existing: &'static str,
    /// The manifest's `spec` without its connection. Every Secret is called `example`.
    pub spec: &'static str,
    /// The request as printed, except that the broken JSON of `additional_settings` is mended to an object.
    pub request: &'static str,
    /// What the operator says beyond the example, as a merge patch; the identifier aside, which it always says.
    pub extras: &'static str,
    /// Id and identifier of the printed answer; the identifier is empty where the PAM made one up.
    pub answer: Option<(&'static str, &'static str)>,
}

/// The values of the Secret `example`.
pub(super) const SECRET: &str = r#"{
    "password": "vfdvds##@", "totp": "295B3LA1M6LRAHI2S7G1A36LMK6I4IWW", "enable": "Enable", "value": "value"
}"#;

/// "Criar credencial", then "Atualizar credencial"; the four blocks of settings are printed in both, letter for letter.
pub(super) const EXAMPLES: &[Example] = &[
    Example {
        name: "new-identifier",
        existing: "{id: 114, username: other, hostname: Outlook, ip: login.live.com}",
        spec: "{username: johncredential, hostname: Linkedin, ip: linkedin.com, identifier: identifierjohn,
                tags: [social], contentSecretRef: {name: example, key: password}}",
        request: r#"{
            "username" : "johncredential",
            "hostname": "Linkedin",
            "ip": "linkedin.com",
            "content": "vfdvds##@",
            "tags": "social",
            "identifier": "identifierjohn"
        }"#,
        extras: "{}",
        answer: Some(("115", "identifierjohn")),
    },
    Example {
        name: "new-username",
        existing: "{id: 26, username: other, hostname: Outlook, ip: login.live.com}",
        spec: "{username: dleite5, hostname: gmail.com, ip: mail.google.com}",
        request: r#"{
            "identifier": "",
            "username": "dleite5",
            "hostname": "gmail.com",
            "ip": "mail.google.com"
        }"#,
        extras: "{}",
        answer: Some(("27", "")),
    },
    Example {
        name: "known-identifier",
        existing: "{id: 115, identifier: identifierjohn35, username: john, hostname: Linkedin, ip: linkedin.com}",
        spec: "{username: johncredential, hostname: Linkedin, ip: linkedin.com, identifier: identifierjohn35,
                adoptionPolicy: Adopt}",
        request: r#"{
            "username" : "johncredential",
            "hostname": "Linkedin",
            "ip": "linkedin.com",
            "identifier": "identifierjohn35"
        }"#,
        extras: "{}",
        answer: Some(("115", "identifierjohn35")),
    },
    Example {
        name: "unknown-identifier",
        existing: "{id: 114, identifier: old, username: TLS12Testing@outlook.com, hostname: Outlook, ip: login.live.com}",
        spec: "{username: TLS12Testing@outlook.com, hostname: Outlook, ip: login.live.com,
                identifier: identifiertesting, adoptionPolicy: Adopt}",
        request: r#"{
            "username" : "TLS12Testing@outlook.com",
            "hostname": "Outlook",
            "ip": "login.live.com" ,
            "identifier": "identifiertesting"
        }"#,
        extras: "{}",
        answer: Some(("114", "identifiertesting")),
    },
    Example {
        name: "known-username",
        existing: "{id: 114, identifier: identifiertesting, username: TLS12Testing@outlook.com, hostname: Outlook,
                    ip: login.live.com}",
        spec: "{username: TLS12Testing@outlook.com, hostname: Outlook, ip: login.live.com,
                identifier: identifiertesting40, adoptionPolicy: Adopt}",
        request: r#"{
            "username" : "TLS12Testing@outlook.com",
            "hostname": "Outlook",
            "ip": "login.live.com" ,
            "identifier": "identifiertesting40"
        }"#,
        extras: "{}",
        answer: Some(("114", "identifiertesting40")),
    },
    Example {
        name: "execution-settings",
        existing: "",
        spec: "
            username: exemplo caderno 3.32
            hostname: API-Testing
            ip: 128.0.0.1
            executionSettings: {parentCredential: cred2, parentHostname: gmail, parentIp: 'https://www.gmail.com',
                automaticChange: true, agentBasedPasswordChange: true, changePlugin: SSH, changeTemplate: 3COM,
                useOwnCredentialToConnect: false, authenticationCredential: cred2, authenticationHostname: gmail,
                authenticationIp: 'https://www.gmail.com', status: true, reconciliationCredential: cred2,
                reconciliationHostname: gmail, reconciliationIp: 'https://www.gmail.com', reconciliationPlugin: SSH,
                reconciliationTemplate: 3COM}",
        request: r#"{
            "username": "exemplo caderno 3.32",
            "hostname": "API-Testing",
            "ip": "128.0.0.1",
            "execution_settings":
            {
                "parent_credential": "cred2",
                "parent_hostname": "gmail",
                "parent_ip": "https://www.gmail.com",
                "automatic_change": true,
                "agent_based_password_change": true,
                "change_plugin": "SSH",
                "change_template": "3COM",
                "use_own_credential_to_connect": false,
                "authentication_credential": "cred2",
                "authentication_hostname": "gmail",
                "authentication_ip": "https://www.gmail.com",
                "status": true,
                "reconciliation_credential": "cred2",
                "reconciliation_hostname": "gmail",
                "reconciliation_ip": "https://www.gmail.com",
                "reconciliation_plugin": "SSH",
                "reconciliation_template": "3COM"
            }
        }"#,
        extras: "{}",
        answer: None,
    },
    Example {
        name: "session-settings",
        existing: "",
        spec: "
            username: exemplo caderno 3.32
            hostname: API-Testing
            ip: 128.0.0.1
            sessionSettings: {ssh: true, telnet: true, mysql: true, sqlServer: true, http: true, https: true, rdp: true,
                x11Forward: true, vnc: true, restrictAccessToRemoteApplication: true,
                macros: [{remoteApp: MySQL, connectivity: SSH}, {remoteApp: Kaspersky, connectivity: RDP}],
                useOwnCredentialToConnect: false, authenticationCredential: cred2, authenticationHostname: gmail,
                authenticationIp: 'https://www.gmail.com'}",
        request: r#"{
            "username": "exemplo caderno 3.32",
            "hostname": "API-Testing",
            "ip": "128.0.0.1",
            "session_settings":
                {
                    "SSH": true,
                    "Telnet": true,
                    "MySQL": true,
                    "SQL Server": true,
                    "HTTP": true,
                    "HTTPS": true,
                    "RDP": true,
                    "X11 Forward": true,
                    "VNC": true,
                    "restrict_access_to_remote_application": true,
                    "macros":
                    [
                        {
                            "remote_app": "MySQL",
                            "connectivity": "SSH"
                        },
                        {
                            "remote_app": "Kaspersky",
                            "connectivity": "RDP"
                        }
                    ],
                    "use_own_credential_to_connect": false,
                    "authentication_credential": "cred2",
                    "authentication_hostname": "gmail",
                    "authentication_ip": "https://www.gmail.com"
                }
        }"#,
        extras: "{}",
        answer: None,
    },
    Example {
        name: "additional-settings",
        existing: "",
        spec: "
            username: exemplo caderno 3.32
            hostname: API-Testing
            ip: 128.0.0.1
            identifier: identifer
            additionalSettings: {userCredentialOwner: admin, serverPath: /etc/host, criticality: High,
                secretKeySecretRef: {name: example, key: totp}, additionalAuthenticationFields: [
                    {name: name, shortName: short_name1, valueSecretRef: {name: example, key: enable}},
                    {name: name2, shortName: short_name2, value: value}],
                notes: Credential to be used only in network A}",
        request: r#"{
            "username": "exemplo caderno 3.32",
            "hostname": "API-Testing",
            "ip": "128.0.0.1",
            "additional_settings":
                {
                    "identifier": "identifer",
                    "user_credential_owner": "admin",
                    "server_path": "/etc/host",
                    "secret_key": "295B3LA1M6LRAHI2S7G1A36LMK6I4IWW",
                    "criticality": "High",
                    "additional_authentication_fields": [
                        {
                            "name": "name",
                            "short_name": "short_name1",
                            "value": "Enable"
                        },
                        {
                            "name": "name2",
                            "short_name": "short_name2",
                            "value": "value"
                        }
                    ],
                    "notes": "Credential to be used only in network A"
                }
        }"#,
        extras: "{}",
        answer: None,
    },
    Example {
        name: "jit-creation",
        existing: "",
        spec: "
            username: API_CREDENTIAL_3
            hostname: API_DEVICE_1
            ip: localhost
            jitSettings: {jit: true, credentialCreationAndDeletion: true, enableDisableCredential: false,
                useOwnCredentialToConnect: false, authenticationCredential: API_CREDENTIAL_1,
                authenticationHostname: API_DEVICE_1, authenticationIp: localhost, credentialCreationPlugin: SSH,
                credentialCreationTemplate: Linux - Create User, credentialDeletionPlugin: SSH,
                credentialDeletionTemplate: Linux - Remove User}",
        request: r#"{
          "username": "API_CREDENTIAL_3",
          "hostname": "API_DEVICE_1",
          "ip": "localhost",
          "jit_settings": {
            "jit": true,
            "credential_creation_and_deletion": true,
            "enable_disable_credential": false,
            "use_own_credential_to_connect": false,
            "authentication_credential": "API_CREDENTIAL_1",
            "authentication_hostname": "API_DEVICE_1",
            "authentication_ip": "localhost",
            "credential_creation_plugin": "SSH",
            "credential_creation_template": "Linux - Create User",
            "credential_deletion_plugin": "SSH",
            "credential_deletion_template": "Linux - Remove User"
          }
        }"#,
        extras: "{}",
        answer: None,
    },
    Example {
        name: "jit-enabling",
        existing: "",
        spec: "
            username: API_CREDENTIAL_3
            hostname: API_DEVICE_1
            ip: localhost
            jitSettings: {jit: true, enableDisableCredential: true, useOwnCredentialToConnect: true,
                authenticationCredential: API_CREDENTIAL_1, authenticationHostname: API_DEVICE_1,
                authenticationIp: localhost, credentialEnablePlugin: LDAP,
                credentialEnableTemplate: AD - Activate User, credentialDisablePlugin: LDAP,
                credentialDisableTemplate: AD - Deactivate User}",
        request: r#"{
          "username": "API_CREDENTIAL_3",
          "hostname": "API_DEVICE_1",
          "ip": "localhost",
          "jit_settings": {
            "jit": true,
            "enable_disable_credential": true,
            "use_own_credential_to_connect": true,
            "authentication_credential": "API_CREDENTIAL_1",
            "authentication_hostname": "API_DEVICE_1",
            "authentication_ip": "localhost",
            "credential_enable_plugin": "LDAP",
            "credential_enable_template": "AD - Activate User",
            "credential_disable_plugin": "LDAP",
            "credential_disable_template": "AD - Deactivate User"
          }
        }"#,
        extras: r#"{"jit_settings": {"credential_creation_and_deletion": false}}"#,
        answer: None,
    },
];
